import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type JsonObject, MAX_ENVELOPE_BYTES, parseEnvelope, encodeHex } from "@touchmark/core";
import {
  fetchCheckpoint,
  fetchPeaks,
  fetchProvedLeaf,
  type LogEndpoint,
  LogError,
  nodeCrypto,
  parseLeaf,
  type SignedCheckpoint,
} from "@touchmark/log";
import { checkQuorum, type Policy } from "@touchmark/verify";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { EXIT, type Exit, explainFailure } from "../failure.ts";
import { touchmarkHome } from "../files/home.ts";
import { logEndpoint } from "../files/log-endpoint.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { readWhole } from "../files/read-file.ts";
import { rememberCheckpoint } from "../files/remember-checkpoint.ts";
import { readKeys } from "../keys/key-store.ts";
import { deliver, type Receivers } from "../log/watch/deliver.ts";
import { fetchKeys, scanLog, type WatchEvent } from "../log/watch/scan-log.ts";
import { readWatch, watchFile, type WatchState, writeWatch } from "../log/watch/watch-state.ts";
import { chooseRegistry } from "../statements/choose-registry.ts";
import { describeStatement, labelOf, statedAuthority } from "../statements/describe.ts";
import { readSubject } from "../statements/read-subject.ts";

/** [L-18] Something new comes each hour; ten minutes are for clocks. */
const STANDS_STILL = 4200;
const COMMAND = "log watch";

export const logWatch: Command = defineCommand({
  name: COMMAND,
  usage: "PACKAGE… [--once] [--mine] [--expect DIGEST…] [--exec CMD] [--webhook URL]",
  examples: ["touchmark log watch @acme/widget --mine --exec 'mail -s touchmark alice@example.org'"],
  about: [
    "Reads every entry of the policy's log from where it was left off, and prints each statement about the packages, and each elsewhere that",
    "names or is signed by one of their keys. Ends with exit code 1 after one that was not expected; without --once it goes on until then.",
    "Expected is what --expect names, and with --mine what a key enrolled here has signed. The log can leave no entry out: the tree is checked.",
  ],
  flags: {
    once: { help: "read to the log's newest checkpoint, and end" },
    interval: { value: "SECONDS", help: "how often the log is looked at; 60 when left out" },
    mine: { help: "what a key enrolled here has signed is expected" },
    expect: { value: "DIGEST", many: true, help: "a statement's digest, or its .touchmark file" },
    exec: { value: "CMD", help: "a command for each event, which it gets as JSON on standard input" },
    webhook: { value: "URL", help: "an address that each event is posted to as JSON" },
    "from-now": { help: "where nothing was read yet: leave out what is in the log already" },
    registry: { value: "NAME", help: "the registry, where the policy names several" },
  },
  operands: [1, 500],
  run: async (values, operands, context) => {
    const { io } = context;
    const policy = loadPolicy(context);
    const packages = operands.map((typed) => readPackage(typed, policy, values.registry));
    const interval = readInterval(values.interval ?? "60");
    const watch: Watch = {
      policy,
      log: logEndpoint(policy, io),
      packages,
      file: watchFile(touchmarkHome(io), policy.log.key, packages),
      expected: new Set(values.expect.map((typed) => readDigest(typed, io.cwd))),
      own: new Set(values.mine ? readKeys(touchmarkHome(io)).map(({ fingerprint }) => fingerprint) : []),
      receivers: { exec: values.exec, webhook: readWebhook(values.webhook) },
      fromNow: values["from-now"],
    };
    if (values.once) return pass(watch, context);
    for (;;) {
      const exit = await passOrWarn(watch, context);
      if (exit === EXIT.rejected || io.signal.aborted) return exit;
      await setTimeout(interval * 1000, undefined, { signal: io.signal }).catch(() => undefined);
      if (io.signal.aborted) return EXIT.ok;
    }
  },
});

interface Watch {
  policy: Policy;
  log: LogEndpoint;
  packages: string[];
  file: string;
  /** Digests in hex. */
  expected: ReadonlySet<string>;
  /** Fingerprints. */
  own: ReadonlySet<string>;
  receivers: Receivers;
  fromNow: boolean;
}

async function passOrWarn(watch: Watch, context: Context): Promise<Exit> {
  try {
    return await pass(watch, context);
  } catch (error) {
    if (!(error instanceof LogError) || error.code === "FORK") throw error;
    if (context.io.signal.aborted) return EXIT.ok; // whoever ends it cuts a question short, and that says nothing
    const { code, message, hint } = explainFailure(error);
    context.ui.warn(`${message} [${code}]`, hint);
    return EXIT.unchecked;
  }
}

/** Reads to the newest checkpoint. What was read is kept, with the alerts, before anybody is alerted. */
async function pass(watch: Watch, context: Context): Promise<Exit> {
  const { io, ui } = context;
  const state = readWatch(watch.file);
  const vouched = await fetchVouched(watch, context);
  if (vouched === null) return EXIT.unchecked;
  const { checkpoint, cosigned } = vouched;
  if (state.note === null && watch.fromNow) state.peaks = await fetchPeaks(watch.log, checkpoint.size, checkpoint);
  // The tree that was read is of a checkpoint that was remembered; one that is older now is no news.
  if (checkpoint.size < state.peaks.size) {
    ui.warn(`the log shows ${checkpoint.size} leaves, and ${state.peaks.size} were read before [ROLLBACK]`);
    return EXIT.unchecked;
  }
  if (state.note === null) state.keys = await fetchKeys(watch.log, watch.packages);
  const watched = { packages: watch.packages, keys: new Set([...state.keys, ...watch.own]) };
  let unexpected = false;
  for await (const step of scanLog(watch.log, state.peaks, checkpoint, watched)) {
    const documents = step.events.map((event) => {
      const expected = isExpected(event, watch);
      unexpected ||= !expected;
      const document = eventJson(event, expected, watch.policy);
      ui.announce(document, eventLines(event, expected, context));
      return document;
    });
    state.peaks = step.peaks;
    state.note = checkpoint.note;
    state.keys = [...watched.keys];
    if (hasReceivers(watch.receivers)) state.undelivered.push(...documents);
    await writeWatch(watch.file, state);
  }
  state.note = checkpoint.note;
  await settleAlerts(watch, state, context);
  const still = await standsStill(watch, checkpoint, cosigned, io.now());
  if (still !== null) ui.warn(still);
  if (unexpected) return EXIT.rejected;
  return still !== null || state.undelivered.length > 0 ? EXIT.unchecked : EXIT.ok;
}

/** Says how old the log's news is, if it is too old: no news may be news that somebody holds back [M-14]. */
async function standsStill(
  { log }: Watch,
  checkpoint: SignedCheckpoint,
  cosigned: number | null,
  now: number,
): Promise<string | null> {
  const time = cosigned ?? parseLeaf((await fetchProvedLeaf(log, checkpoint.size - 1, checkpoint)).leaf).time;
  const age = now - time;
  if (age <= STANDS_STILL) return null;
  return cosigned === null
    ? `the log's last leaf is ${age} seconds old, and a log appends one each hour [L-18]`
    : `the witnesses' word is ${age} seconds old, and a log asks for it each hour [Q-28]`;
}

/** The newest checkpoint: signed, an extension of all that was seen before [V-5], and cosigned as the policy asks [V-21], and as of when; else null, and it is said why. */
async function fetchVouched(
  { log, policy }: Watch,
  { io, ui }: Context,
): Promise<{ checkpoint: SignedCheckpoint; cosigned: number | null } | null> {
  const checkpoint = await fetchCheckpoint(log);
  await rememberCheckpoint(touchmarkHome(io), log, checkpoint);
  const quorum = checkQuorum(policy, checkpoint, io.now());
  if (quorum === null || !("code" in quorum)) return { checkpoint, cosigned: quorum?.time ?? null };
  ui.warn(`${quorum.message} [${quorum.code}]`, quorum.hint);
  return null;
}

async function settleAlerts(watch: Watch, state: WatchState, { io, ui }: Context): Promise<void> {
  if (hasReceivers(watch.receivers) && state.undelivered.length > 0) {
    const { left, failure } = await deliver(state.undelivered, watch.receivers, io);
    state.undelivered = left;
    if (failure !== null) ui.warn(`${failure}; ${left.length} alerts wait and are sent again`);
  }
  await writeWatch(watch.file, state);
}

function isExpected({ digest, signers, problem }: WatchEvent, { expected, own }: Watch): boolean {
  if (problem !== null) return false;
  return (digest !== null && expected.has(digest)) || signers.some((fingerprint) => own.has(fingerprint));
}

function eventJson(event: WatchEvent, expected: boolean, policy: Policy): JsonObject {
  const { index, time, kind, why, names, digest, envelope, signers, problem } = event;
  const statement = digest === null ? null : `sha256:${digest}`;
  return { log: policy.log.origin, index, time, kind, why, names, statement, envelope, signers, problem, expected };
}

function eventLines(event: WatchEvent, expected: boolean, { io, ui }: Context): string[] {
  const { index, time, kind, why, names, digest, statement, signers, problem } = event;
  const when = new Date(time * 1000).toISOString().replace(".000Z", "Z");
  const told = why === "key" ? `${kind} elsewhere, which names ${names.join(", ")}` : kind;
  const head = `${expected ? "expected" : ui.bad("unexpected")}  entry ${index}, ${when}: ${told}`;
  if (problem !== null || statement === null || digest === null) return [head, `  ${problem}`];
  const enrolled = readKeys(touchmarkHome(io));
  const authority = statedAuthority(statement);
  const labels = signers.map((fingerprint) => labelOf(fingerprint, authority, enrolled));
  return [head, ...describeStatement(statement, digest, labels).map((line) => `  ${line}`)];
}

function hasReceivers({ exec, webhook }: Receivers): boolean {
  return exec !== undefined || webhook !== undefined;
}

function readPackage(typed: string, policy: Policy, registry: string | undefined): string {
  const { packageId, version } = readSubject(typed, COMMAND, () => chooseRegistry(policy, registry));
  if (version !== null) throw usageError(COMMAND, "A package is watched as a whole: leave the version out.");
  return packageId;
}

/** `sha256:…`, or the digest of the statement in a file. */
function readDigest(typed: string, cwd: string): string {
  const [, digest] = /^(?:sha256:)?([0-9a-f]{64})$/.exec(typed) ?? [];
  if (digest !== undefined) return digest;
  const file = resolve(cwd, typed);
  if (!existsSync(file)) throw usageError(COMMAND, `--expect ${typed} is neither a digest nor a file.`);
  return encodeHex(nodeCrypto.sha256(parseEnvelope(readWhole(file, MAX_ENVELOPE_BYTES)).payload));
}

function readWebhook(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const { protocol } = URL.parse(url) ?? {};
  if (protocol === "https:" || protocol === "http:") return url;
  throw usageError(COMMAND, "--webhook is not an http or https address.");
}

function readInterval(text: string): number {
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds > 0) return seconds;
  throw usageError(COMMAND, "--interval is not a number of seconds.");
}
