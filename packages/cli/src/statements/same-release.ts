import type { Release } from "@touchmark/core";
import { CliError } from "../error.ts";
import type { StatementFile } from "./statement-file.ts";

/** What was asked for on the command line and so must be in the file as well. */
export interface Insisted {
  bases: boolean;
  source: boolean;
}

/**
 * A signature file that is there already must be about the very bytes at hand, no more and no fewer. Its base and source are
 * those of whoever drafted it, unless this signer names them too. Throws `OTHER_BYTES`, `OTHER_STATEMENT`.
 */
export function checkSameRelease(found: StatementFile, drafted: StatementFile, file: string, insisted: Insisted): void {
  const there = releaseOf(found);
  const here = releaseOf(drafted);
  if (there === null || here === null) throw other(`${file} is not about a release.`);
  const ids = [...here.releases.keys()].join(", ");
  if ([...there.releases.keys()].join(", ") !== ids)
    throw other(`${file} is about ${[...there.releases.keys()].join(", ")}, not about ${ids}.`);
  for (const [id, { sha512, tarSha512 }] of here.releases) {
    const signed = there.releases.get(id)!;
    if (signed.sha512 !== sha512 || signed.tarSha512 !== tarSha512) {
      throw new CliError(
        "OTHER_BYTES",
        `${file} is about other bytes of ${id}: sha512 ${signed.sha512.slice(0, 16)}… there, ${sha512.slice(0, 16)}… here.`,
        "Find out which tarball is the right one; to begin anew, move the signature file away.",
      );
    }
  }
  if (there.logs.join() !== here.logs.join()) throw other(`${file} is meant for the log ${there.logs.join(", ")}.`);
  if (insisted.bases && [...here.releases].some(([id, { base }]) => there.releases.get(id)!.base !== base))
    throw other(`${file} names another base.`);
  if (insisted.source && JSON.stringify(there.source) !== JSON.stringify(here.source))
    throw other(`${file} names another source.`);
}

function releaseOf({ statement }: StatementFile): Release | null {
  return statement.kind === "release" ? statement : null;
}

function other(message: string): CliError {
  return new CliError("OTHER_STATEMENT", message, "To begin anew, move the signature file away.");
}
