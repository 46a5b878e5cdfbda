import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Verdict } from "@touchmark/core";
import {
  companionCheckpoint,
  installSession,
  type Lockfile,
  keepFork,
  parseCompanion,
  readRemembered,
} from "@touchmark/verify";
import { MAX_EVIDENCE_BYTES } from "@touchmark/log";
import { isAttended } from "../attended.ts";
import { type Command, type Context, usageError } from "../command.ts";
import { exitOf, reasonJson, summary, verdictJson, verdictLines } from "../evidence/describe-verdict.ts";
import { rememberOrWarn } from "../evidence/load-evidence.ts";
import { touchmarkHome } from "../files/home.ts";
import { logEndpoint } from "../files/log-endpoint.ts";
import { loadCheckingPolicy } from "../files/policy-file.ts";
import { readIfThere } from "../files/read-file.ts";
import { writeWhole } from "../files/write-file.ts";
import { decideBySession, type NpmRun, runNpm } from "@touchmark/verify/npm";

const MAX_LISTED = 20;

const HELP = [
  "Example:",
  "  touchmark npm ci",
  "  touchmark npm install left-pad@^1.3.0",
  "",
  "Usage: touchmark [--json] [--policy FILE] npm install|ci|update|… [npm's own arguments]",
  "",
  "Runs npm behind the gate: the lockfile is checked before npm starts, every version and tarball while it runs, and the installed",
  "tree before any script. Arguments that would lead npm around the gate are refused. What was accepted is written to touchmark.lock.",
  "",
  "Touchmark's own flags stand before the word npm; what follows is npm's. With --json npm's own output goes to standard error.",
];

export const npm: Command = {
  help: () => HELP,
  start: async (args, { io }, common) => {
    const context: Context = { io, json: common.json, policy: common.policy, ui: common.makeUi(common.json) };
    if (args[0] === "--help" || args[0] === "-h") {
      context.ui.result({ ok: true, help: HELP.join("\n") }, HELP);
      return 0;
    }
    if (args.length === 0) throw usageError("npm", "touchmark npm needs npm's arguments.");
    return runBehindGate(args, context);
  },
};

async function runBehindGate(args: readonly string[], context: Context): Promise<number> {
  const { io, ui, json } = context;
  const policy = await loadCheckingPolicy(context);
  const home = touchmarkHome(io);
  const file = join(projectOf(io.cwd), "touchmark.lock");
  const companion = readIfThere(file, MAX_EVIDENCE_BYTES);
  const remembered = readRemembered(home, policy.log.key);
  const held = readRemembered(home, policy.log.key, file);
  const session = installSession({
    policy,
    companion: companion && parseCompanion(companion),
    log: logEndpoint(policy, io),
    seen: remembered ? [remembered] : [],
    held: held ? [held] : [],
    now: () => io.now(),
    attended: isAttended(io),
    onCheckpoint: (checkpoint) => {
      rememberOrWarn(checkpoint, policy, context);
    },
    onFork: (notes) => {
      ui.warn(`the log contradicts itself; both notes are kept in ${keepFork(home, policy.log.key, notes)}`);
    },
  });
  // [E-9]
  const remember = async (lockfile: Lockfile): Promise<void> => {
    const bytes = await session.companionFor(lockfile);
    if (bytes) {
      await writeWhole(file, bytes);
      rememberOrWarn(companionCheckpoint(parseCompanion(bytes), policy.log.key), policy, context, file);
      return;
    }
    io.signal.throwIfAborted();
    ui.warn("touchmark.lock is left as it was: the log could not be asked");
  };
  const run = await runNpm({
    argv: args,
    cwd: io.cwd,
    env: io.env,
    policy,
    cacheDirectory: join(home, "npm-cache"),
    checkLockfile: (lockfile) => session.checkLockfile(lockfile),
    decide: decideBySession(session),
    onAccepted: remember,
    fetch: (url, init) => io.fetch(url, init),
    io: {
      stdout: (text) => {
        if (json) io.stderr(text);
        else io.stdout(text);
      },
      stderr: (text) => {
        io.stderr(text);
      },
    },
    signal: io.signal,
  }).catch((error: unknown) => {
    io.signal.throwIfAborted();
    throw error;
  });
  if (run.exitCode !== 0) io.signal.throwIfAborted();
  report(run, context);
  return run.exitCode;
}

function report({ exitCode, stage, refusals, verdict }: NpmRun, { ui, json }: Context): void {
  if (json) {
    ui.result(
      {
        ok: exitCode === 0,
        exitCode,
        stage,
        refusals: refusals.map(({ version = null, ...refusal }) => ({ ...refusal, version })),
        packages: verdict?.verdicts.map(verdictJson) ?? [],
        notes: verdict?.notes.map(reasonJson) ?? [],
      },
      [],
    );
    return;
  }
  if (!verdict) return;
  for (const { message, code, hint } of verdict.notes) ui.warn(`${message} [${code}]`, hint);
  if (exitCode !== exitOf("accepted")) return;
  const shown = verdict.verdicts.filter(isRemarkable);
  for (const one of shown.slice(0, MAX_LISTED)) for (const line of verdictLines(one, ui)) ui.progress(line);
  if (shown.length > MAX_LISTED) ui.progress(`and ${shown.length - MAX_LISTED} more: touchmark verify --all`);
  ui.progress(summary(verdict.verdicts));
}

// Most of a tree is unclaimed, and that is said by its number.
function isRemarkable({ status, basis }: Verdict): boolean {
  return status !== "accepted" || basis === "release" || basis === "exception";
}

/** Where npm has its project: the nearest folder upwards with a package.json. */
function projectOf(cwd: string): string {
  for (let at = cwd; ; at = dirname(at)) {
    if (existsSync(join(at, "package.json"))) return at;
    if (dirname(at) === at) return cwd;
  }
}
