/** C2SP tlog-witness (https://c2sp.org/tlog-witness): what a log asks a witness, and how it reads the answer. */
import { cleanText } from "@touchmark/core";
import { encodeBase64, parseBase64 } from "./bytes.ts";
import { parseDecimal } from "./checkpoint.ts";
import { type Cosignature, verifyCosignatures } from "./cosignature.ts";
import { LogError } from "./error.ts";
import type { Ask } from "./http.ts";
import { type Note, type NoteSignature, parseNote, parseSignatureLines, type VerifierKey } from "./note.ts";
import { MAX_COSIGNATURE_AHEAD } from "./quorum.ts";

/** `oldSize` is the size that the witness cosigned last, `proof` the consistency proof from it to the checkpoint in `note`. */
export type AddCheckpoint = { readonly oldSize: number; readonly proof: readonly Uint8Array[]; readonly note: string };

/** A witness as a log knows it: the submission prefix, and the key whose cosignatures are taken. `timeout` in milliseconds, 10 s if left out. */
export type WitnessEndpoint = {
  readonly url: string;
  readonly key: VerifierKey;
  readonly ask: Ask;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
};

/** A good cosignature and its line; or the size that the witness says it cosigned last, `undefined` if it does not say which. */
export type WitnessAnswer =
  | { readonly kind: "cosigned"; readonly line: NoteSignature; readonly time: number }
  | { readonly kind: "conflict"; readonly size: number | undefined };

/** [Q-17] */
export const MAX_ADD_CHECKPOINT_BYTES: number = 256 * 1024;
const MAX_PROOF_HASHES = 63;
const MAX_ANSWER_BYTES = 128 * 1024;
const DEFAULT_TIMEOUT = 10_000;

export function encodeAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join("")}\n${note}`;
}

/** Reads the body of a request and the note in it, without trusting either [Q-17]. Throws `BAD_REQUEST`. */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint & { readonly parsed: Note } {
  if (body.length > MAX_ADD_CHECKPOINT_BYTES) throw malformed("is too long");
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  const border = text.indexOf("\n\n");
  const [first = "", ...hashes] = text.slice(0, Math.max(0, border)).split("\n");
  const oldSize = parseDecimal(/^old (.*)$/.exec(first)?.[1] ?? "");
  if (oldSize === undefined) throw malformed("does not begin with the old size");
  if (hashes.length > MAX_PROOF_HASHES) throw malformed("has too long a proof");
  const proof = hashes.map((line) => {
    const hash = parseBase64(line);
    if (hash?.length !== 32) throw malformed("has a malformed hash");
    return hash;
  });
  const source = body.subarray(border + 2);
  try {
    return { oldSize, proof, note: Buffer.from(source).toString("utf8"), parsed: parseNote(source) };
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    throw new LogError("BAD_REQUEST", cause.message, { cause });
  }
}

/**
 * Asks a witness to cosign. `text` is the note text of the checkpoint, `now` in seconds. Throws `REFUSED` with the witness's words, `BAD_ANSWER` if what it
 * answers is no cosignature of its own on this checkpoint of about now [Q-26], and what the network throws.
 */
export async function fetchCosignature(
  witness: WitnessEndpoint,
  request: AddCheckpoint,
  text: string,
  now: number,
): Promise<WitnessAnswer> {
  const { status, body } = await witness.ask({
    url: `${witness.url.replace(/\/$/, "")}/add-checkpoint`,
    body: encodeAddCheckpoint(request),
    type: "text/plain; charset=utf-8",
    limit: MAX_ANSWER_BYTES,
    timeout: witness.timeout ?? DEFAULT_TIMEOUT,
    signal: witness.signal,
  });
  const answer = Buffer.from(body).toString("utf8");
  if (status === 409) return { kind: "conflict", size: parseDecimal(answer.trim()) };
  if (status === 200) return { kind: "cosigned", ...readCosignature(answer, witness.key, text, now) };
  const words = cleanText(answer.trim(), 200);
  throw new LogError(
    "REFUSED",
    `The witness ${witness.key.name} answered ${status}${words === "" ? "." : `: ${words}`}`,
  );
}

function readCosignature(
  answer: string,
  key: VerifierKey,
  text: string,
  now: number,
): { line: NoteSignature; time: number } {
  const own = parseSignatureLines(answer).filter(({ name, keyId }) => name === key.name && keyId === key.keyId);
  for (const line of own) {
    const [good] = cosignaturesOf({ text, signatures: [line] }, key);
    if (good !== undefined && good.time > 0 && Math.abs(good.time - now) <= MAX_COSIGNATURE_AHEAD) {
      return { line, time: good.time };
    }
  }
  throw new LogError("BAD_ANSWER", `The witness ${key.name} gave no cosignature of its own key and of about now.`, {
    hint: "Its key in the policy may be another one than it signs with, or its clock or this one may be wrong.",
  });
}

function cosignaturesOf(note: Note, key: VerifierKey): readonly Cosignature[] {
  try {
    return verifyCosignatures(note, [key]).cosignatures;
  } catch (error) {
    if (error instanceof LogError && error.code === "BAD_NOTE") return [];
    throw error;
  }
}

function malformed(what: string): LogError {
  return new LogError("BAD_REQUEST", `The request ${what}.`);
}
