import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  claimStatus,
  type JsonObject,
  MAX_ENVELOPE_BYTES,
  packageIdHash,
  type PackageState,
  statementChains,
} from "@touchmark/core";
import { fetchInbox, listInbox, LogError, nodeCrypto } from "@touchmark/log";
import type { Policy } from "@touchmark/verify";
import { describeWaiting } from "../authority/describe-authority.ts";
import { askLog, type LogView } from "../authority/log-view.ts";
import { countVotes, describeVotes } from "../authority/missing-signatures.ts";
import { waitingIn } from "../authority/pending.ts";
import { type Command, type Context, defineCommand } from "../command.ts";
import { encodeAtom } from "../evidence/atom-feed.ts";
import { touchmarkHome } from "../files/home.ts";
import { logEndpoint } from "../files/log-endpoint.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { readIfThere } from "../files/read-file.ts";
import { writeWhole } from "../files/write-file.ts";
import { knownSubjects } from "../keys/known-subjects.ts";
import { readKeys } from "../keys/key-store.ts";
import { openStatement, type StatementFile } from "../statements/statement-file.ts";
import { readSubjectIds } from "../statements/subject-ids.ts";

/** Something that a person here should look at, or touch a key for. */
interface Notice {
  /** Stable: the same notice has the same id tomorrow. */
  id: string;
  subject: string;
  kind: "sign" | "veto" | "claim" | "frozen" | "finish" | "dormant";
  text: string;
  command: string;
  /** Log time from which it is so, seconds. */
  since: number;
  /** Log time until which something can be done; null for no end. */
  until: number | null;
}

const WARN_DORMANT = 300 * 86_400;
const MOST_FILES = 500;
const MOST_INBOX = 64;

export const notify: Command = defineCommand({
  name: "notify",
  usage: "[PACKAGE…] [--feed FILE] [--no-inbox]",
  examples: ["touchmark notify", "touchmark notify --feed touchmark.atom"],
  about: [
    "What needs somebody's touch, over all packages of the keys that are enrolled here: statements in this folder and in the log's inbox that wait",
    "for a signature, what waits and can be vetoed, claims without proof, frozen packages, and packages of which nothing was heard for long.",
    "--feed writes an Atom feed. It changes nothing and needs no key.",
  ],
  flags: {
    feed: { value: "FILE", help: "write an Atom feed" },
    "no-inbox": { help: "don't look into the log's inbox" },
    registry: { value: "NAME", help: "the registry, where the policy names several" },
  },
  operands: [0, 500],
  run: async (values, operands, context) => {
    const { io, ui } = context;
    const policy = loadPolicy(context);
    const own = new Set(readKeys(touchmarkHome(io)).map(({ fingerprint }) => fingerprint));
    const named = readSubjectIds(operands, policy, values.registry);
    const asked = named.length > 0 ? named : await knownSubjects(policy, context);
    const files = readFiles(io.cwd);
    const about = files.flatMap(({ found }) => statementChains(found.statement));
    const all = [...new Set([...asked, ...about])];
    if (all.length === 0) {
      ui.result({ ok: true, notices: [] }, ["No package is known here. Name them: touchmark notify PACKAGE…"]);
      return 0;
    }
    const view = await askLog(Object.fromEntries(all.map((id) => [id, []])), policy, context);
    const inbox = values["no-inbox"] ? [] : await readInbox(asked, policy, context);
    const notices = [
      ...[...files, ...inbox].flatMap(({ file, found }) => signNotice(file, found, own, view)),
      ...asked.flatMap((id) => stateNotices(id, view.state(id), own, view)),
    ].filter(({ id }, i, list) => list.findIndex((other) => other.id === id) === i);
    if (values.feed !== undefined)
      await writeWhole(resolve(io.cwd, values.feed), encodeAtom(policy.log.origin, notices, view.time));
    const documents: JsonObject[] = notices.map((notice) => ({ ...notice }));
    ui.result({ ok: true, notices: documents, feed: values.feed ?? null }, [
      ...(notices.length === 0 ? ["Nothing needs a touch."] : []),
      ...notices.flatMap(({ subject, text, command }) => [`${subject}  ${text}`, `  ${command}`]),
      ...(values.feed === undefined ? [] : [`Wrote ${values.feed}.`]),
    ]);
    return 0;
  },
});

function signNotice(file: string, found: StatementFile, own: ReadonlySet<string>, view: LogView): Notice[] {
  const [subject = ""] = statementChains(found.statement);
  const votes = countVotes(found.statement, found.signers, view);
  const mine = votes.filter(({ keys }) => keys.some((key) => own.has(key)));
  if (mine.length === 0) return [];
  const text = `a ${found.statement.kind} waits for a signature: ${mine.map(describeVotes).join("; ")}`;
  const command = file.startsWith("sha256:") ? `touchmark release sign ${file} --inbox` : `touchmark sign ${file}`;
  return [{ id: `sign-${found.digest}`, subject, kind: "sign", text, command, since: view.time, until: null }];
}

function stateNotices(id: string, state: PackageState, own: ReadonlySet<string>, view: LogView): Notice[] {
  const { time } = view;
  const line = state.lines.find(({ authority: { keys, recovery } }) =>
    [...keys, ...(recovery?.keys ?? [])].some(({ fingerprint }) => own.has(fingerprint)),
  );
  const notices: Notice[] = [];
  const { adoption } = state;
  if (
    adoption &&
    time >= adoption.effectiveAt &&
    adoption.authority.keys.some(({ fingerprint }) => own.has(fingerprint))
  )
    notices.push({
      id: `finish-${id}-${adoption.place.index}`,
      subject: id,
      kind: "finish",
      text: "the adoption can be finished now",
      command: `touchmark adopt finish ${id}`,
      since: adoption.effectiveAt,
      until: adoption.expiresAt,
    });
  if (!line) return notices;
  for (const waiting of [...waitingIn(state, null), ...waitingIn({ ...state, adoption: null }, line)])
    notices.push({
      id: `waits-${id}-${waiting.entry}`,
      subject: id,
      kind: "veto",
      text: describeWaiting(waiting, time),
      command: waiting.vetoable ? `touchmark veto ${id} --entry ${waiting.entry}` : `touchmark authority show ${id}`,
      since: waiting.since,
      until: waiting.expiresAt ?? waiting.effectiveAt,
    });
  const word = claimStatus(state, time);
  const proved = line.proofs.some(({ letter }) => letter === "a");
  if (word === "contested" || ((word === "pending" || word === "unproven") && !proved))
    notices.push({
      id: `claim-${id}-${line.claim.index}`,
      subject: id,
      kind: "claim",
      text: word === "contested" ? "somebody else has claimed it too" : `its claim is ${word} and has no proof (a)`,
      command: word === "contested" ? `touchmark status ${id}` : `touchmark claim prove ${id} --version V`,
      since: line.claim.time,
      until: state.settlesAt,
    });
  if (word === "frozen")
    notices.push({
      id: `frozen-${id}-${state.last?.index ?? 0}`,
      subject: id,
      kind: "frozen",
      text: "too few holders have a live key: nothing can be released",
      command: `touchmark authority change ${id}`,
      since: state.last?.time ?? time,
      until: null,
    });
  const last = state.last?.time ?? time;
  if (id.startsWith("npm:") && time - last >= WARN_DORMANT)
    notices.push({
      id: `dormant-${id}-${state.last?.index ?? 0}`,
      subject: id,
      kind: "dormant",
      text: `its authority has shown no sign of life for ${Math.floor((time - last) / 86_400)} days: after 365 without any entry it may be adopted`,
      command: `touchmark authority heartbeat ${id}`,
      since: last,
      until: null,
    });
  return notices;
}

// What is no statement, or has a bad signature, is passed over here: whoever signs or submits it hears of it.
function readFiles(folder: string): { file: string; found: StatementFile }[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".touchmark"));
  return names
    .toSorted()
    .slice(0, MOST_FILES)
    .flatMap((file) => {
      const found = openOrNull(() => readIfThere(join(folder, file), MAX_ENVELOPE_BYTES));
      return found === null ? [] : [{ file, found }];
    });
}

async function readInbox(
  ids: readonly string[],
  policy: Policy,
  { io, ui }: Context,
): Promise<{ file: string; found: StatementFile }[]> {
  const log = logEndpoint(policy, io);
  const statements: { file: string; found: StatementFile }[] = [];
  try {
    const digests = new Set<string>();
    for (const id of ids) for (const digest of await listInbox(log, packageIdHash(nodeCrypto, id))) digests.add(digest);
    for (const digest of [...digests].slice(0, MOST_INBOX)) {
      const bytes = await fetchInbox(log, digest);
      const found = openOrNull(() => bytes);
      if (found?.digest === digest) statements.push({ file: `sha256:${digest}`, found });
    }
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    ui.warn(`the log's inbox could not be read: ${error.message}`, error.hint);
  }
  return statements;
}

function openOrNull(read: () => Uint8Array | null): StatementFile | null {
  try {
    const bytes = read();
    return bytes === null ? null : openStatement(bytes);
  } catch {
    return null;
  }
}
