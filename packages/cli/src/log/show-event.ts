import type { LogEvent } from "@touchmark/log-server";
import { type Context, usageError } from "../command.ts";

/** How a server's events are shown: for people, or each as one line of JSON. */
export type EventForm = "text" | "json";

/** The form after `--log`. Throws `USAGE`. */
export function readEventForm(text: string | undefined, command: string): EventForm {
  if (text === undefined || text === "text") return "text";
  if (text === "json") return "json";
  throw usageError(command, "--log is neither text nor json.");
}

/** Prints failures of a server, and with `verbose` each request; as JSON everything. `what` is what failed. */
export function showEvent(
  event: LogEvent,
  what: string,
  verbose: boolean,
  { io, ui }: Context,
  form: EventForm = "text",
): void {
  if (form === "json") io.stderr(`${JSON.stringify(eventLine(event, io.now()))}\n`);
  else if (event.event === "failure") ui.warn(`the ${what} failed: ${event.message}`);
  else if (event.event === "stopped") ui.warn(`the ${what} can't append any more`);
  else if (verbose) ui.progress(`${event.method} ${event.path} ${event.status} ${event.ms} ms`);
}

/** An event without the error itself, which may hold anything. */
function eventLine(event: LogEvent, now: number): Record<string, string | number> {
  const time = new Date(now * 1000).toISOString();
  if (event.event !== "failure") return { time, ...event };
  const { error } = event;
  const code = error instanceof Error && "code" in error ? String(error.code).slice(0, 40) : "";
  return { time, event: "failure", message: event.message, code };
}
