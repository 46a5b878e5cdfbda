/** Asking one witness for its cosignature of the newest checkpoint, again and again until it gives it. */
import {
  type Ask,
  consistencyRanges,
  digestToBytes,
  encodeNote,
  fetchCosignature,
  type Note,
  type NoteSignature,
  type PolicyWitness,
  verifyCosignatures,
} from "@touchmark/log";
import { LogServerError } from "./error.ts";
import type { Snapshot } from "./store-reads.ts";

/**
 * The checkpoint that is to be cosigned, and since when a cosignature has to have been had, in seconds. `note` has the log's own signature alone, `proofFrom`
 * gives the consistency proof from a tree of so many leaves.
 */
export type Target = {
  readonly size: number;
  readonly note: Note;
  readonly proofFrom: (oldSize: number) => Promise<readonly Uint8Array[]>;
  readonly since: number;
};

/** The tree's checkpoint as a target. A proof is made once for all witnesses that know the same size, as most do. */
export function targetOf({ checkpoint: { size, origin }, digests }: Snapshot, note: Note, since: number): Target {
  const { text, signatures } = note;
  let last: { readonly oldSize: number; readonly proof: Promise<Uint8Array[]> } | undefined;
  const makeProof = async (oldSize: number): Promise<Uint8Array[]> => {
    try {
      return (await digests(oldSize === 0 ? [] : consistencyRanges(oldSize, size))).map(digestToBytes);
    } catch (error) {
      last = undefined; // it may be there when it is asked for again
      throw error;
    }
  };
  return {
    size,
    note: { text, signatures: signatures.filter(({ name }) => name === origin) },
    proofFrom: (oldSize) => {
      if (last?.oldSize !== oldSize) last = { oldSize, proof: makeProof(oldSize) };
      return last.proof;
    },
    since,
  };
}

/** A cosignature and the text that it is on. `time` is the witness's, `had` is this clock's when it was asked; both in seconds. */
export type Line = {
  readonly text: string;
  readonly signature: NoteSignature;
  readonly time: number;
  readonly had: number;
};

export type AskedWitness = PolicyWitness & { readonly url: string };

export type AskerOptions = {
  readonly witness: AskedWitness;
  readonly ask: Ask;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** Milliseconds for one request. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** What is to be cosigned now, and the size of the checkpoint that was published last. */
  readonly target: () => Target | undefined;
  readonly published: () => number;
  readonly onLine: () => void;
  /** Told when the witness begins to fail and when it is back. */
  readonly onTrouble: (message: string, error?: unknown) => void;
};

export type WitnessAsker = {
  readonly witness: AskedWitness;
  /** Its newest cosignature. */
  readonly line: () => Line | undefined;
  /** Takes over what a note has of this witness already, so that it need not be asked again after a restart. */
  readonly learn: (note: Note) => void;
  /** Looks at the target and asks, unless it is under way, or failed a moment ago and will try again by itself. */
  readonly ask: () => void;
};

/** Sizes that are tried in a row: a witness that names another one each time would be asked once a leaf. */
const MOST_SIZES = 8;
// Milliseconds.
const LEAST_PAUSE = 250;
const MOST_PAUSE = 30_000;

export function createAsker(options: AskerOptions): WitnessAsker {
  const { witness, signal, target, published, onLine, onTrouble } = options;
  let line: Line | undefined;
  let known: number | undefined;
  let busy = false;
  let failures = 0;
  let failedAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });

  const work = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    clearTimeout(timer);
    try {
      // The log may have grown while the witness was asked.
      for (let wanted = target(); wanted !== undefined && !isMet(wanted, line); wanted = target()) {
        line = await obtain(wanted);
        known = wanted.size;
        if (failures > 0) onTrouble(`The witness ${witness.key.name} cosigns again.`);
        failures = 0;
        onLine();
      }
    } catch (error) {
      if (signal.aborted) return;
      failedAt = performance.now();
      if (failures++ === 0) onTrouble(`The witness ${witness.key.name} does not cosign: ${wordsOf(error)}`, error);
      const pause = Math.min(MOST_PAUSE, LEAST_PAUSE * 2 ** Math.min(failures, 10));
      timer = setTimeout(() => void work(), pause).unref();
    } finally {
      busy = false;
    }
  };

  /** Asks with the size that the witness knows, and again with the one that it names. */
  const obtain = async ({ size, note, proofFrom }: Target): Promise<Line> => {
    const { ask, timeout, clock } = options;
    const endpoint = { url: witness.url, key: witness.key, ask, timeout, signal };
    const source = encodeNote(note);
    const sizes = [known ?? published(), published(), size, 0].filter((one) => one <= size);
    const tried = new Set<number>();
    for (let oldSize = sizes.shift(); oldSize !== undefined; oldSize = sizes.find((one) => !tried.has(one))) {
      if (tried.size === MOST_SIZES) break;
      tried.add(oldSize);
      const proof = await proofFrom(oldSize);
      const had = Math.floor(clock());
      const answer = await fetchCosignature(endpoint, { oldSize, proof, note: source }, note.text, had);
      if (answer.kind === "cosigned") return { text: note.text, signature: answer.line, time: answer.time, had };
      if (answer.size === undefined) continue;
      if (answer.size > size) throw setBack(answer.size, size);
      sizes.splice(0, sizes.length, answer.size);
    }
    throw new LogServerError(
      "BAD_ANSWER",
      "it does not say which size it cosigned last, or says another one each time.",
    );
  };

  return {
    witness,
    line: () => line,
    learn: (note) => {
      line ??= lineIn(note, witness);
    },
    ask: () => {
      if (performance.now() - failedAt >= LEAST_PAUSE) void work();
    },
  };
}

function isMet({ note, since }: Target, line: Line | undefined): boolean {
  return line?.text === note.text && line.had >= since;
}

function lineIn({ text, signatures }: Note, { key }: PolicyWitness): Line | undefined {
  const [newest] = signatures
    .filter(({ name, keyId }) => name === key.name && keyId === key.keyId)
    .map((signature) => ({ signature, time: timeOf({ text, signatures: [signature] }, key) }))
    .toSorted((a, b) => b.time - a.time);
  return newest && { text, ...newest, had: 0 };
}

function timeOf(note: Note, key: PolicyWitness["key"]): number {
  return verifyCosignatures(note, [key]).cosignatures[0]?.time ?? 0;
}

function setBack(theirs: number, ours: number): LogServerError {
  return new LogServerError(
    "SET_BACK",
    `it has cosigned ${theirs} leaves of this log, which has ${ours}.`,
    "The log was restored from an old backup, or somebody else signs with its key. To go on from here would be a second history.",
  );
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
