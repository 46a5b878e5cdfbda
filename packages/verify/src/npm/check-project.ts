import { existsSync as isThere } from "node:fs";
import { join } from "node:path";
import { cleanText } from "@touchmark/core";
import type { LockfileVerdict } from "../check-lockfile.ts";
import { VerifyError } from "../errors.ts";
import type { Refusal } from "../gate/decision.ts";
import { compareInstalled, HIDDEN_LOCKFILE } from "./installed-tree.ts";
import { settleLocalFolders } from "./local-folders.ts";
import { parseLockfile, type Lockfile } from "./lockfile.ts";
import { sourceOfSpec, type NpmArguments, type SpecSource } from "./npm-arguments.ts";
import { readIfThere, readLockfile } from "./project-files.ts";
import { refusalsOfVerdicts } from "./refusal-table.ts";
import type { RegistryOf } from "./registry-address.ts";

/** A project and the rules that it is checked by. */
export interface CheckedProject {
  directory: string;
  args: NpmArguments;
  /** Whether npm goes by a lockfile; if not, what it says it has installed is judged in its stead. */
  usesLockfile: boolean;
  registryOf: RegistryOf;
  /** What the policy allows beside registry tarballs [P-7]. */
  sources: Readonly<Record<Exclude<SpecSource, "registry">, boolean>>;
  checkLockfile(lockfile: Lockfile): Promise<LockfileVerdict>;
}

export interface Checked {
  /** The lockfile's bytes as they were checked. */
  bytes: Uint8Array | undefined;
  lockfile: Lockfile | undefined;
  /** Undefined if the lockfile was only read. */
  verdict: LockfileVerdict | undefined;
  refusals: Refusal[];
}

/**
 * Before npm starts: what is named on the command line, and the lockfile as a whole. A command that changes versions may be the way out of a refused lockfile, so for
 * those the lockfile is only read now, and judged when npm is done.
 */
export async function checkBefore(project: CheckedProject): Promise<Checked> {
  const { args, sources } = project;
  const refusals = (args.command === "install" ? args.specs : []).flatMap((spec) => {
    const source = sourceOfSpec(spec);
    if (source === "registry" || sources[source]) return [];
    const hint = `Allow it with "sources": {"${source}": "allow"} in touchmark.json.`;
    return [refusal(cleanText(spec, 200), "SOURCE_REFUSED", `The policy takes nothing from ${source}.`, hint)];
  });
  const file = project.usesLockfile ? readLockfile(project.directory) : undefined;
  if (!file || refusals.length > 0) return { bytes: undefined, lockfile: undefined, verdict: undefined, refusals };
  const judge = args.command === "ci" || (args.command === "install" && args.specs.length === 0);
  return checkBytes(project, file.name, file.bytes, judge);
}

/** After npm has ended and before any script: the lockfile as it is now, and the tree against it. `installed` is what scripts may be run of. */
export async function checkAfter(
  project: CheckedProject,
  before: Checked,
): Promise<Checked & { installed: Lockfile | undefined }> {
  const { directory, args } = project;
  const hidden = args.packageLockOnly ? undefined : readIfThere(join(directory, HIDDEN_LOCKFILE));
  const file =
    (project.usesLockfile ? readLockfile(directory) : undefined) ??
    (hidden && { name: HIDDEN_LOCKFILE, bytes: hidden });
  if (!file) return { ...before, installed: undefined }; // npm had nothing to install
  // `npm ci` writes no lockfile: what was judged is what counts, whatever lies there now.
  const unchanged = args.command === "ci" || (before.bytes !== undefined && file.bytes.equals(before.bytes));
  const known = before.verdict !== undefined && unchanged;
  const checked = known ? before : await checkBytes(project, file.name, file.bytes, true);
  if (!hidden || !checked.lockfile || checked.refusals.length > 0) return { ...checked, installed: undefined };
  const tree = await checkBytes(project, HIDDEN_LOCKFILE, hidden, false);
  const installed = tree.lockfile;
  const held = pathsHeldToHolders(checked.lockfile, checked.verdict);
  const differences = installed ? compareInstalled(directory, installed, checked.lockfile, held) : [];
  const refusals = differences.map(({ path, reason, hint }) => refusal(path, "INSTALLED_DIFFERS", reason, hint));
  return { ...checked, refusals: [...tree.refusals, ...refusals], installed };
}

/** The project's own folders that npm has installed into, without those that are named: which ones these are, nobody knows for sure before npm does. */
export function furtherFolders(project: CheckedProject, known: readonly string[]): string[] {
  const bytes = readIfThere(join(project.directory, HIDDEN_LOCKFILE));
  if (!bytes) return [];
  let packages: Lockfile["packages"];
  try {
    ({ packages } = settleLocalFolders(parseLockfile(bytes, project.registryOf), project.directory));
  } catch (error) {
    if (error instanceof VerifyError) return []; // the check that comes next says so
    throw error;
  }
  return packages
    .flatMap(({ kind, paths }) => (kind === "workspace" ? paths : []))
    .filter((path) => !known.includes(path) && isThere(join(project.directory, path, "node_modules")));
}

async function checkBytes(project: CheckedProject, name: string, bytes: Uint8Array, judge: boolean): Promise<Checked> {
  let lockfile: Lockfile;
  try {
    lockfile = settleLocalFolders(parseLockfile(bytes, project.registryOf), project.directory);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    const refusals = [refusal(name, error.code, error.message, error.hint)];
    return { bytes, lockfile: undefined, verdict: undefined, refusals };
  }
  if (!judge) return { bytes, lockfile, verdict: undefined, refusals: [] };
  const verdict = await project.checkLockfile(lockfile);
  const refusals = refusalsOfVerdicts(verdict.verdicts);
  if (verdict.status !== "accepted" && refusals.length === 0) {
    const [note] = verdict.notes;
    const unchecked = verdict.status === "unchecked";
    refusals.push({
      ...refusal(name, note?.code ?? "CHECK_FAILED", note?.message ?? "It was not accepted.", note?.hint ?? ""),
      unchecked,
    });
  }
  return { bytes, lockfile, verdict, refusals };
}

/** Where the packages lie that their holders signed for, by a release or a claim's list, and what these bring along. */
function pathsHeldToHolders({ packages }: Lockfile, verdict: LockfileVerdict | undefined): ReadonlySet<string> {
  const verdicts = verdict?.verdicts ?? [];
  const held = new Set(
    packages.flatMap(({ paths }, i) => (["release", "earlier"].includes(verdicts[i]?.basis ?? "") ? paths : [])),
  );
  for (const { bundler, paths } of packages) {
    if (bundler !== undefined && held.has(bundler)) paths.forEach((path) => held.add(path));
  }
  return held;
}

function refusal(name: string, code: string, reason: string, hint: string): Refusal {
  return { what: "request", name, version: undefined, code, reason, hint, unchecked: false };
}
