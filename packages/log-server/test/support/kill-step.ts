/** Killing one's own process at a named step: a storage and a signer that do what they always do, until they come to it. */
import type { NoteSigner } from "@touchmark/log";
import type { Storage } from "../../src/storage/storage.ts";

/** Of a batch, in order: tiles and envelopes are written, the ledger takes the batch, it is signed, shown, remembered as published, answered. */
export type Call = "take writing" | "write" | "append" | "sign" | "show" | "publish" | "answer";

/** `half`: some of the blobs are written. `amid`: the call is made, and nobody waits for it. `count`: at which call since it was armed, 1 for the first. */
export type Step = { readonly call: Call; readonly when: "before" | "half" | "amid" | "after"; readonly count: number };

export type Killer = {
  readonly arm: (step: Step) => void;
  /** Ends the process if this is the step. */
  readonly at: (call: Call, when: Step["when"]) => void;
};

export function killer(): Killer {
  let step: Step | undefined;
  let seen = 0;
  return {
    arm: (wanted) => {
      step = wanted;
      seen = 0;
    },
    at: (call, when) => {
      if (call !== step?.call || when !== step.when || ++seen < step.count) return;
      process.kill(process.pid, "SIGKILL");
    },
  };
}

export function killedStorage({ ledger, blobs, cache }: Storage, { at }: Killer): Storage {
  /** The call with its steps around it. */
  const through = async <T>(call: Call, work: () => Promise<T>): Promise<T> => {
    at(call, "before");
    const done = work();
    at(call, "amid");
    const result = await done;
    at(call, "after");
    return result;
  };
  return {
    cache,
    ledger: {
      ...ledger,
      takeWriting: () => through("take writing", () => ledger.takeWriting()),
      append: (batch) => through("append", () => ledger.append(batch)),
      setPublished: (note) => through("publish", () => ledger.setPublished(note)),
    },
    blobs: {
      ...blobs,
      write: (all) =>
        through("write", async () => {
          const half = Math.ceil(all.length / 2);
          await blobs.write(all.slice(0, half));
          at("write", "half");
          await blobs.write(all.slice(half));
        }),
      show: (note) => through("show", () => blobs.show(note)),
    },
  };
}

export function killedSigner(signer: NoteSigner, { at }: Killer): NoteSigner {
  return {
    key: signer.key,
    sign: (text) => {
      const signature = signer.sign(text);
      at("sign", "after");
      return signature;
    },
  };
}
