/** Work of which only so much is done at one time. */
import { LogServerError } from "./error.ts";

/** Does the work when its turn comes. Rejects with `TOO_MANY` if too much waits, and with what the work rejects with. */
export type Slots = <T>(work: () => Promise<T>) => Promise<T>;

export function createSlots(limit: number, most: number): Slots {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= limit) {
      if (waiting.length >= most)
        throw new LogServerError("TOO_MANY", "Too much is asked of the log at once.", "Send it again in a minute.");
      await new Promise<void>((resolve) => waiting.push(resolve)); // whoever ends leaves the slot to the next
    } else busy++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) busy--;
      else next();
    }
  };
}
