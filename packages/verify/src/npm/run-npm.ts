import { join } from "node:path";
import { cleanText, isVersion } from "@touchmark/core";
import type { LockfileVerdict } from "../check-lockfile.ts";
import type { ExpectedTarball } from "../gate/catalogue.ts";
import type { Decide, Refusal } from "../gate/decision.ts";
import type { FetchEdge } from "../gate/upstream.ts";
import { registriesOf, type Policy } from "../policy/policy.ts";
import { checkAfter, checkBefore, type Checked, furtherFolders } from "./check-project.ts";
import { prepareCache, runGatedNpm } from "./gated-npm.ts";
import { removeTree, setTreesAside } from "./kept-trees.ts";
import { scriptCommands } from "./lifecycle.ts";
import type { Lockfile } from "./lockfile.ts";
import { type NpmArguments, parseNpmArguments } from "./npm-arguments.ts";
import { findNpm, runProcess, withoutProjectPrograms } from "./npm-process.ts";
import { type NpmSettings, readNpmSettings } from "./npm-settings.ts";
import { keepProjectFiles } from "./project-files.ts";
import { takeTurn } from "./project-turn.ts";
import { refusalTable } from "./refusal-table.ts";
import { compareVersions } from "./semver.ts";

export interface RunNpmOptions {
  /** npm's command line without `npm`. */
  argv: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Instead of the npm on the PATH. */
  npmPath?: string;
  /** The registries, and what is allowed beside their tarballs. Remote tarballs don't pass the gate either way. */
  policy: Policy;
  /** npm's cache behind the gate: a directory of the user's own that nothing else fills. Made if it isn't there. */
  cacheDirectory: string;
  checkLockfile(lockfile: Lockfile): Promise<LockfileVerdict>;
  decide: Decide;
  /** Called once what was installed is accepted, before any script: what is to be remembered of it. If it fails, everything is put back. */
  onAccepted?: (lockfile: Lockfile) => Promise<void>;
  /** The network to the registries; global `fetch` if left out. */
  fetch?: FetchEdge;
  io: { stdout(text: string | Uint8Array): void; stderr(text: string | Uint8Array): void };
  signal?: AbortSignal;
}

export interface NpmRun {
  /** 0, 1 (refused), 3 (could not be checked), or npm's own where npm or a script failed by itself. */
  exitCode: number;
  /** Where it ended: npm was not started; npm was stopped or failed; what it installed was refused; the end. */
  stage: "before" | "during" | "after" | "done";
  refusals: Refusal[];
  /** The last lockfile that was read, and what was said of it. */
  lockfile: Lockfile | undefined;
  verdict: LockfileVerdict | undefined;
}

/**
 * Runs npm between three checks: the lockfile before it starts, every document and tarball while it runs, the installed tree before any script.
 *
 * Trust: npm itself and the project's own files are the user's. The cache is one of content: npm finds a tarball in it by the digest that the lockfile or a judged
 * document names, and hashes it again when it takes it out; documents are never kept; and whatever came out of it stands in the lockfile that is judged last. Whoever can
 * write to the user's files meanwhile can do more than this keeps out. Scripts of packages that were let through run with the user's rights, and what they start is not gated.
 *
 * npm finds no node_modules: what it installs it unpacks from tarballs that were judged. If npm fails, the old one is put back. What is refused at the end is taken
 * away again: the project's files are put back, and node_modules, of which nobody can tell any more what is good, is removed.
 *
 * Throws `NPM_ARGUMENT`, `NPM_SETTING`, `NPM_UNAVAILABLE`, `PROJECT_BUSY`.
 */
export async function runNpm(options: RunNpmOptions): Promise<NpmRun> {
  const { cwd, io, signal } = options;
  const env = withoutProjectPrograms(options.env, cwd);
  const typed = parseNpmArguments(options.argv);
  const npm = findNpm(env, options.npmPath);
  const settings = await readNpmSettings(npm, cwd, env);
  const args = {
    ...typed,
    ignoreScripts: typed.ignoreScripts ?? settings.ignoreScripts,
    packageLockOnly: typed.packageLockOnly ?? settings.packageLockOnly,
    dryRun: typed.dryRun ?? settings.dryRun,
  };
  const start: Start = (args_, env_) =>
    runProcess(npm, {
      args: args_,
      cwd,
      env: env_,
      stdout: (text) => io.stdout(text),
      stderr: (text) => io.stderr(text),
      ...(signal ? { signal } : {}),
    });
  prepareCache(options.cacheDirectory);
  const giveBack = takeTurn(options.cacheDirectory, settings.project);
  try {
    return await runBetweenChecks(options, { env, args, settings, start });
  } finally {
    giveBack();
  }
}

/** With npm's settings where the command line says nothing. */
type SettledArguments = NpmArguments & Record<"ignoreScripts" | "packageLockOnly" | "dryRun", boolean>;
type Start = (args: string[], env: NodeJS.ProcessEnv) => Promise<number>;

async function runBetweenChecks(
  options: RunNpmOptions,
  npm: { env: NodeJS.ProcessEnv; args: SettledArguments; settings: NpmSettings; start: Start },
): Promise<NpmRun> {
  const { io } = options;
  const { env, args, settings, start } = npm;
  const end = (
    stage: NpmRun["stage"],
    exitCode: number,
    { lockfile, verdict }: Checked,
    refusals: Refusal[],
  ): NpmRun => ({
    exitCode,
    stage,
    refusals,
    lockfile,
    verdict,
  });

  const project = {
    ...options,
    directory: settings.project,
    args,
    usesLockfile: settings.packageLock || args.command === "ci",
    registryOf: registriesOf(options.policy),
    sources: options.policy.sources,
  };
  const before = await checkBefore(project);
  if (before.refusals.length > 0) {
    io.stderr(refusalTable("touchmark did not start npm:", before.refusals));
    return end("before", exitCodeOf(before.refusals), before, before.refusals);
  }

  const workspaces = workspacesOf(before.lockfile);
  const files = keepProjectFiles(settings.project, workspaces);
  const installs = !args.dryRun && !args.packageLockOnly;
  const trees = setTreesAside(installs ? ["", ...workspaces].map((path) => join(settings.project, path)) : []);
  const install = async (): Promise<Awaited<ReturnType<typeof runGatedNpm>>> => {
    for (const known = [...workspaces]; ;) {
      const gated = await runGatedNpm({ ...options, ...npm }, expectedTarballs(before.lockfile));
      const further = installs && gated.exitCode === 0 ? furtherFolders(project, known) : [];
      if (further.length === 0) return gated;
      // What lay in their node_modules before, npm has kept and believed; so it never was.
      io.stderr(`touchmark lets npm begin anew, without the node_modules of ${cleanText(further.join(", "))}\n`);
      files.restore();
      trees.add(further.map((path) => join(settings.project, path)));
      known.push(...further);
    }
  };
  let installed = false;
  try {
    const gated = await install();
    if (gated.exitCode !== 0) {
      const restored = files.restore();
      // What the system refuses npm (a full disk), npm shows by another number than 1; then versions that were merely on offer are not why.
      const own = gated.refusals.every(({ what }) => what === "version" && gated.exitCode !== 1);
      if (own) return end("during", gated.exitCode, before, gated.refusals);
      io.stderr(refusalTable(`touchmark refused${putBack(restored)}:`, gated.refusals));
      return end("during", exitCodeOf(gated.refusals), before, gated.refusals);
    }
    if (args.dryRun) return end("done", 0, before, gated.refusals);

    const after = await checkAfter(project, before);
    options.signal?.throwIfAborted();
    if (after.refusals.length > 0) {
      installed = true;
      const restored = files.restore();
      for (const path of installs ? ["", ...workspacesOf(after.lockfile)] : []) {
        removeTree(join(settings.project, path, "node_modules"));
      }
      const title = installs
        ? `touchmark refused what npm installed; no script of it has run, node_modules was removed${putBack(restored)}:`
        : `touchmark refused${putBack(restored)}:`;
      io.stderr(refusalTable(title, after.refusals));
      return end("after", exitCodeOf(after.refusals), after, after.refusals);
    }
    if (after.lockfile && after.verdict) await options.onAccepted?.(after.lockfile);
    installed = true;
    reportHeldBack(gated.refusals, after.lockfile, io);
    const wantsScripts = after.installed && !args.ignoreScripts;
    for (const command of wantsScripts ? scriptCommands(args, settings.project, after.installed!) : []) {
      const exitCode = await start(command, env);
      if (exitCode !== 0) return end("done", exitCode, after, gated.refusals);
    }
    return end("done", 0, after, gated.refusals);
  } catch (error) {
    files.restore();
    throw error;
  } finally {
    if (installed) trees.drop();
    else trees.restore();
  }
}

function exitCodeOf(refusals: readonly Refusal[]): number {
  return refusals.every(({ unchecked }) => unchecked) ? 3 : 1;
}

function putBack(restored: readonly string[]): string {
  return restored.length === 0 ? "" : ` (put back: ${restored.join(", ")})`;
}

function workspacesOf(lockfile: Lockfile | undefined): string[] {
  return (lockfile?.packages ?? []).flatMap(({ kind, paths }) => (kind === "workspace" ? paths : []));
}

function expectedTarballs(lockfile: Lockfile | undefined): ExpectedTarball[] {
  return (lockfile?.packages ?? []).flatMap(({ kind, name, version, integrity, resolved }) =>
    kind === "registry" && version !== undefined && integrity.ok
      ? [{ name, version, sha512: integrity.sha512, resolved }]
      : [],
  );
}

function reportHeldBack(refusals: readonly Refusal[], lockfile: Lockfile | undefined, io: RunNpmOptions["io"]): void {
  const heldBack = newerThanInstalled(refusals, lockfile);
  if (heldBack.length > 0) io.stderr(refusalTable("touchmark held newer versions back:", heldBack));
  const leftOut = notInstalled(refusals, lockfile);
  if (leftOut.length > 0)
    io.stderr(refusalTable("touchmark refused what is optional, and npm went on without it:", leftOut));
}

/** npm takes no offence at an optional dependency that it can't have; the user should know why it is missing. */
function notInstalled(refusals: readonly Refusal[], lockfile: Lockfile | undefined): Refusal[] {
  const installed = new Set((lockfile?.packages ?? []).map(({ name }) => name));
  return refusals.filter(({ what, name }) => what !== "request" && (what !== "version" || !installed.has(name)));
}

/** Of the refused versions those that are newer than what was installed of the same package: what the user might wonder about. */
function newerThanInstalled(refusals: readonly Refusal[], lockfile: Lockfile | undefined): Refusal[] {
  const installed = new Map<string, string>();
  for (const { name, version } of lockfile?.packages ?? []) {
    const known = installed.get(name);
    if (version === undefined || !isVersion(version)) continue;
    if (known === undefined || compareVersions(version, known) > 0) installed.set(name, version);
  }
  return refusals.filter(({ what, name, version }) => {
    const taken = installed.get(name);
    return (
      what === "version" &&
      taken !== undefined &&
      version !== undefined &&
      isVersion(version) &&
      compareVersions(version, taken) > 0
    );
  });
}
