import {
  encodeCanonicalJson,
  encodeUtf8,
  isObject,
  type Json,
  type JsonObject,
  parseCanonicalJson,
  parsePackageId,
} from "@touchmark/core";
import { EVIDENCE_FORMAT, type Evidence, evidenceFromJson, evidenceToJson, MAX_EVIDENCE_BYTES } from "@touchmark/log";
import { VerifyError } from "../errors.ts";

const FORMAT = "touchmark-lock/v1";
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** `touchmark.lock`, the lockfile's companion [E-8]. */
export interface Companion {
  /** Package id → the authority digest under which it was last accepted. */
  pins: Map<string, string>;
  evidence: Evidence;
}

/** Reads `touchmark.lock`; nothing in it is verified yet. Throws `COMPANION_MALFORMED`. */
export function parseCompanion(bytes: Uint8Array): Companion {
  try {
    const value = parseCanonicalJson(bytes, { bytes: MAX_EVIDENCE_BYTES }, "lines");
    if (!isObject(value) || Object.keys(value).slice(0, 2).join() !== "format,pins" || value["format"] !== FORMAT) {
      throw malformed("it is not of the form touchmark-lock/v1");
    }
    const { format: _, pins, ...rest } = value;
    return { pins: readPins(pins), evidence: evidenceFromJson({ format: EVIDENCE_FORMAT, ...rest }) };
  } catch (cause) {
    if (cause instanceof VerifyError) throw cause;
    throw malformed(cause instanceof Error ? cause.message : "it cannot be read", cause);
  }
}

/** The bytes of `touchmark.lock`. */
export function encodeCompanion(companion: Companion): Uint8Array {
  const pins: JsonObject = Object.fromEntries([...companion.pins].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const { format: _, ...bundle } = evidenceToJson(companion.evidence);
  return encodeUtf8(encodeCanonicalJson({ format: FORMAT, pins, ...bundle }, "lines"));
}

function readPins(value: Json | undefined): Map<string, string> {
  if (!isObject(value)) throw malformed("its pins are not an object");
  const pins = new Map<string, string>();
  let before = "";
  for (const [packageId, digest] of Object.entries(value)) {
    parsePackageId(packageId);
    if (packageId <= before) throw malformed("its pins are not sorted");
    if (typeof digest !== "string" || !DIGEST.test(digest))
      throw malformed(`the pin of ${packageId} is no authority digest`);
    pins.set(packageId, digest);
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
