import { cleanText, isObject, type Json, type JsonObject, parseReleaseId } from "@touchmark/core";
import { VerifyError } from "../errors.ts";

const DAY = 86_400;
const LONGEST = 90; // days [P-8]

/** One exact release that is let through until the end of a day (UTC) [P-8]. */
export interface Exception {
  releaseId: string;
  reason: string;
  author: string;
  /** `YYYY-MM-DD`. */
  until: string;
}

/** Reads the policy's exceptions; `now` in seconds. Throws `EXCEPTION_BAD` with the one line that mends it. */
export function readExceptions(value: Json | undefined, now: number): Exception[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw bad("exceptions is not a list", "");
  const exceptions = value.map((item) => readException(item, now));
  const ids = new Set(exceptions.map(({ releaseId }) => releaseId));
  if (ids.size !== exceptions.length) throw bad("a release has two exceptions", "Keep one of them.");
  return exceptions;
}

function readException(value: Json, now: number): Exception {
  if (!isObject(value) || Object.keys(value).toSorted().join() !== "author,package,reason,until") {
    throw bad("an exception does not have exactly the keys package, reason, author, until", "");
  }
  const releaseId = readText(value, "package", 600);
  const reason = readText(value, "reason", 500);
  const author = readText(value, "author", 100);
  const until = readText(value, "until", 10);
  if (!isReleaseId(releaseId)) {
    throw bad(
      `"${cleanText(releaseId, 100)}" is not one exact release`,
      'Write "npm:<registry>/<name>@<version>"; wildcards are not taken.',
    );
  }
  const end = endOfDay(until);
  if (end === null)
    throw bad(
      `the exception for ${releaseId} ends on "${cleanText(until)}", which is no day`,
      'Write "until": "YYYY-MM-DD".',
    );
  if (end <= now)
    throw bad(
      `the exception for ${releaseId} ended on ${until}`,
      `Remove it, or renew it with "until": "${dayText(now + 30 * DAY)}".`,
    );
  if (end > now + (LONGEST + 1) * DAY) {
    throw bad(
      `the exception for ${releaseId} is longer than ${LONGEST} days`,
      `Write "until": "${dayText(now + LONGEST * DAY)}" or sooner.`,
    );
  }
  return { releaseId, reason, author, until };
}

function readText(fields: JsonObject, key: string, most: number): string {
  const value = fields[key];
  if (typeof value !== "string" || value.length === 0 || value.length > most)
    throw bad(`an exception's ${key} is empty, too long or not text`, "");
  return value;
}

function isReleaseId(text: string): boolean {
  try {
    parseReleaseId(text);
    return true;
  } catch {
    return false;
  }
}

function endOfDay(day: string): number | null {
  const start = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  // Date.parse takes February 30 for March 2; a real day comes back as it was.
  return Number.isNaN(start) || dayText(start / 1000) !== day ? null : start / 1000 + DAY;
}

function dayText(time: number): string {
  return new Date(time * 1000).toISOString().slice(0, 10);
}

function bad(problem: string, hint: string): VerifyError {
  return new VerifyError("EXCEPTION_BAD", `In touchmark.json, ${problem}.`, hint);
}
