import { cleanText, encodePackageId, isPackageName, isVersion, parseReleaseId, parseSubjectId } from "@touchmark/core";
import type { Policy } from "@touchmark/verify";
import { CliError } from "../error.ts";
import { chooseRegistry } from "./choose-registry.ts";

/** A subject id as typed: a package's name in the policy's registry, or `npm:…`, `committee:…`, `log:…` in full. */
export function readSubjectId(typed: string, policy: Policy, registry: string | undefined): string {
  if (/^(?:npm|committee|log):/.test(typed)) {
    parseSubjectId(typed);
    return typed;
  }
  if (isPackageName(typed)) return encodePackageId({ registry: chooseRegistry(policy, registry), name: typed });
  throw new CliError(
    "USAGE",
    `"${cleanText(typed, 80)}" is not a package's name.`,
    "Write a name, or in full npm:<registry>/<name> or committee:<id>.",
  );
}

/** Subject ids as typed, sorted, none twice. Throws `USAGE`. */
export function readSubjectIds(typed: readonly string[], policy: Policy, registry: string | undefined): string[] {
  const ids = typed.map((one) => readSubjectId(one, policy, registry)).toSorted();
  const twice = ids.find((id, i) => id === ids[i + 1]);
  if (twice !== undefined) throw new CliError("USAGE", `${twice} stands twice.`);
  return ids;
}

/** `NAME@VERSION` or a release id in full. Throws `USAGE`. */
export function readRelease(
  typed: string,
  policy: Policy,
  registry: string | undefined,
): { releaseId: string; packageId: string; version: string } {
  const at = typed.lastIndexOf("@");
  const version = at > 0 ? typed.slice(at + 1) : "";
  if (!isVersion(version))
    throw new CliError(
      "USAGE",
      `"${cleanText(typed, 80)}" names no version.`,
      "Write NAME@VERSION, as in widget@1.0.0.",
    );
  const packageId = readSubjectId(typed.slice(0, at), policy, registry);
  const releaseId = `${packageId}@${version}`;
  parseReleaseId(releaseId);
  return { releaseId, packageId, version };
}
