import { resolve } from "node:path";
import { isObject, type Json, parseJson, type Statement } from "@touchmark/core";
import type { EarlierList } from "@touchmark/log";
import { CliError } from "../error.ts";
import { readIfThere } from "../files/read-file.ts";

export const MAX_EARLIER_FILE: number = 4 * 1024 * 1024; // [L-20]

/** The list beside a claim; a claim of packages without earlier versions does without the file. Throws `EARLIER_MALFORMED`. */
export function readEarlierFile(statement: Statement, file: string, cwd: string): Record<string, EarlierList> | null {
  if (statement.kind !== "claim") return null;
  const bytes = readIfThere(resolve(cwd, file), MAX_EARLIER_FILE);
  if (bytes !== null) {
    try {
      return parseEarlierList(parseJson(bytes, { bytes: MAX_EARLIER_FILE, depth: 4 }));
    } catch (cause) {
      throw malformed(`${file} is not a list of earlier versions.`, cause);
    }
  }
  if ([...statement.packages.values()].every(({ earlier }) => earlier.size === 0))
    return Object.fromEntries([...statement.packages.keys()].map((packageId) => [packageId, []]));
  throw malformed(`The list of earlier versions is missing: there is no ${file}.`);
}

/** Checks the form only. Throws a plain error. */
export function parseEarlierList(value: Json): Record<string, EarlierList> {
  if (isObject(value) && Object.values(value).every(isList)) return value as Record<string, [string, string][]>;
  throw new Error("It is not a list of versions for each package.");
}

function malformed(message: string, cause?: unknown): CliError {
  return new CliError("EARLIER_MALFORMED", message, "touchmark claim wrote it beside the claim.", cause);
}

function isList(list: Json): list is [string, string][] {
  return (
    Array.isArray(list) &&
    list.every((item) => Array.isArray(item) && item.length === 2 && item.every((text) => typeof text === "string"))
  );
}
