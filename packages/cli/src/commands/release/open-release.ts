import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Policy } from "@touchmark/verify";
import { bringIn, type CarrierWish } from "../../carriers/carrier.ts";
import { type Context, usageError } from "../../command.ts";
import { readStatementFile, type StatementFile } from "../../statements/statement-file.ts";

/** A release's file, the only one here where none is named, with all the signatures that there are by now. */
export async function openRelease(
  typed: string,
  wish: CarrierWish,
  policy: Policy,
  context: Context,
): Promise<{ file: string; found: StatementFile }> {
  const file = await bringIn(typed === "" ? onlyRelease(context.io.cwd) : typed, wish, policy, context);
  const found = readStatementFile(resolve(context.io.cwd, file));
  if (found.statement.kind !== "release")
    throw usageError(
      "release",
      `${file} is not about a release.`,
      "touchmark status and touchmark sign take every kind.",
    );
  return { file, found };
}

function onlyRelease(folder: string): string {
  const releases = readdirSync(folder)
    .filter((name) => name.endsWith(".touchmark"))
    .filter((name) => isRelease(join(folder, name)));
  const [only, ...others] = releases;
  if (only !== undefined && others.length === 0) return only;
  throw usageError(
    "release",
    only === undefined ? "There is no release's file here." : `There are several: ${releases.toSorted().join(", ")}.`,
    "Name the one that is meant.",
  );
}

function isRelease(path: string): boolean {
  try {
    return readStatementFile(path).statement.kind === "release";
  } catch {
    return false;
  }
}
