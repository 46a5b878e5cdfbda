import { CoreError, encodeUtf8, parsePackageId, type ProofLetter } from "@touchmark/core";
import {
  encodeLineDocument,
  EVIDENCE_KEYS,
  type Evidence,
  evidenceMembers,
  LogError,
  MAX_EVIDENCE_BYTES,
  parseLineDocument,
  parseText,
  readEvidence,
  type SignedCheckpoint,
  verifyCheckpoint,
  type VerifierKey,
} from "@touchmark/log";
import { VerifyError } from "../errors.ts";
import type { Pin } from "./pin.ts";

const FORMAT = "touchmark-lock/v1";
const PIN =
  /^"([^"\\]*)":\{"authority":"(sha256:[0-9a-f]{64})","epoch":([1-9][0-9]{0,15}),"entry":(0|[1-9][0-9]{0,15}),"proof":"(a?b?c?d?e?)"\}$/;

/** `touchmark.lock`, the lockfile's companion [E-8]. */
export interface Companion {
  /** By package id. */
  pins: ReadonlyMap<string, Pin>;
  evidence: Evidence;
}

/** Reads `touchmark.lock`; nothing in it is verified yet. Throws `COMPANION_MALFORMED`. */
export function parseCompanion(bytes: Uint8Array): Companion {
  try {
    const document = parseLineDocument(bytes, ["format", "pins", ...EVIDENCE_KEYS], MAX_EVIDENCE_BYTES);
    if (parseText(document.scalar("format")) !== FORMAT) throw malformed("it is not of the form touchmark-lock/v1");
    return { pins: readPins(document.items("pins", "{}")), evidence: readEvidence(document) };
  } catch (cause) {
    if (cause instanceof LogError || cause instanceof CoreError) throw malformed(cause.message, cause);
    throw cause;
  }
}

/**
 * The checkpoint in `touchmark.lock`: whoever has the repository has seen it, and no log may go back behind it [V-5].
 * Throws `COMPANION_MALFORMED` if it is none of the policy's log, since a memory that can't be read must not count as empty.
 */
export function companionCheckpoint({ evidence }: Companion, key: VerifierKey): SignedCheckpoint {
  try {
    return verifyCheckpoint(evidence.checkpoint, key);
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    throw new VerifyError(
      "COMPANION_MALFORMED",
      `touchmark.lock is not of the policy's log ${key.name}: ${cause.message}`,
      "Restore it from git. Only if the policy's log was changed on purpose, remove it: touchmark npm install writes it anew.",
      cause,
    );
  }
}

/** The bytes of `touchmark.lock`. */
export function encodeCompanion({ pins, evidence }: Companion): Uint8Array {
  const items = [...pins]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([packageId, { authority, epoch, entry, proof }]) => {
      return `"${packageId}":${JSON.stringify({ authority, epoch, entry, proof: proof.join("") })}`;
    });
  return encodeUtf8(
    encodeLineDocument([
      ["format", JSON.stringify(FORMAT)],
      ["pins", { brackets: "{}", items }],
      ...evidenceMembers(evidence),
    ]),
  );
}

function readPins(items: readonly string[]): Map<string, Pin> {
  const pins = new Map<string, Pin>();
  let before = "";
  for (const item of items) {
    const [, packageId = "", authority, epochText = "", entryText = "", letters = ""] = PIN.exec(item) ?? [];
    const [epoch, entry] = [Number(epochText), Number(entryText)];
    const numbers = Number.isSafeInteger(epoch) && Number.isSafeInteger(entry);
    if (authority === undefined || !numbers || packageId <= before)
      throw malformed("its pins are malformed or not sorted");
    parsePackageId(packageId);
    pins.set(packageId, { authority, epoch, entry, proof: letters.split("") as ProofLetter[] });
    before = packageId;
  }
  return pins;
}

function malformed(problem: string, cause?: unknown): VerifyError {
  return new VerifyError(
    "COMPANION_MALFORMED",
    `touchmark.lock cannot be used: ${problem}`,
    "Restore it from git, or write it anew with: touchmark npm install",
    cause,
  );
}
