// What the log itself knows of some packages and committees, by its own charter: what the next statement has to follow, and what
// waits. A consumer, who may recognise other committees, judges by `touchmark verify`.
import {
  applyStatement,
  charteredCommittees,
  endAdoption,
  type PackageState,
  type Power,
  settle,
  type SignedStatement,
  UNCLAIMED,
  type World,
} from "@touchmark/core";
import {
  type Chain,
  envelopeOpener,
  type OpenedEvidence,
  placeOf,
  type Policy,
  type ProvedEntry,
  readChain,
} from "@touchmark/verify";
import type { Context } from "../command.ts";
import { CliError } from "../error.ts";
import { loadEvidence } from "../evidence/load-evidence.ts";
import { lockfilePath } from "../files/lockfile-path.ts";

/** An entry of a chain, and the state that it made. */
export interface ViewedEntry {
  entry: ProvedEntry;
  signed: SignedStatement;
  state: PackageState;
}

export interface LogView {
  policy: Policy;
  evidence: OpenedEvidence;
  /** Log time for which the states are, seconds: now where the log was asked just now, else that of the evidence. */
  time: number;
  /** By the log's charter. */
  world: World;
  /** Whether it was asked about. */
  knows(subjectId: string): boolean;
  /** At `time`; `UNCLAIMED` for what was proved never to have been claimed. */
  state(subjectId: string): PackageState;
  /** The authority entries, the oldest first. */
  entries(subjectId: string): readonly ViewedEntry[];
  /** Index of the last entry of any kind, which the evidence may not hold; null for what has none. */
  lastIndex(subjectId: string): number | null;
  /** Release entries of the versions that were asked for. */
  releases(subjectId: string): readonly { entry: ProvedEntry; signed: SignedStatement }[];
}

const ALL_POWERS: readonly Power[] = ["adopt", "endorse", "expedite", "hold", "review"];

/** Asks the log about subjects, and about the committees that its charter names. Throws `NO_EVIDENCE`, and CoreError where the log has broken its rules. */
export async function askLog(
  subjects: Readonly<Record<string, readonly string[]>>,
  policy: Policy,
  context: Context,
): Promise<LogView> {
  const charter = `log:${policy.log.origin}`;
  const wanted = { ...subjects, [charter]: [] };
  const now = context.io.now();
  const evidence = await evidenceOf(wanted, policy, context);
  // Whom the charter has ever named may have decided something of what is asked about.
  const named = readView(evidence, [charter], policy)
    .entries(charter)
    .flatMap(({ state }) => charteredCommittees(state, null));
  const others = [...new Set(named)].filter((id) => !(id in wanted));
  if (others.length === 0) return readView(evidence, Object.keys(wanted), policy, now);
  const all = { ...wanted, ...Object.fromEntries(others.map((id) => [id, []])) };
  return readView(await evidenceOf(all, policy, context), Object.keys(all), policy, now);
}

/** The same out of `touchmark.lock`, without any network: only what that holds of the subjects. Throws `NO_EVIDENCE`. */
export async function viewLocked(subjects: readonly string[], policy: Policy, context: Context): Promise<LogView> {
  return readView(await evidenceOf(null, policy, context), subjects, policy);
}

/** Replays what a bundle holds of these subjects, all in the order of the log; `now` may be later than the bundle. */
export function readView(
  evidence: OpenedEvidence,
  subjects: readonly string[],
  policy: Policy,
  now: number = evidence.epoch.time,
): LogView {
  const { origin } = policy.log;
  const time = Math.max(now, evidence.epoch.time);
  const open = envelopeOpener(evidence);
  const chains = new Map(subjects.map((id) => [id, readChain(evidence, id)]));
  const entries = [...chains].flatMap(([id, chain]) => entriesOf(id, chain));
  const states = new Map<string, PackageState>();
  const viewed = new Map<string, ViewedEntry[]>(subjects.map((id) => [id, []]));
  let judged = 0;
  const world: World = {
    origin,
    chartered: () => true,
    releaseTime: () => undefined,
    lenient: true,
    get recognised() {
      const committees = charteredCommittees(states.get(`log:${origin}`) ?? UNCLAIMED, judged);
      return new Map(committees.map((id) => [id, ALL_POWERS]));
    },
    state: (id) => states.get(id) ?? (chains.get(id)?.kind === "unclaimed" ? UNCLAIMED : undefined),
  };
  for (const { id, entry, all } of entries.toSorted((a, b) => a.entry.index - b.entry.index)) {
    const signed = open(entry);
    if (signed === null) throw noEvidence(`The evidence lacks an envelope of ${id}.`);
    const times = new Map(all.map((one) => [one.index, one.time]));
    judged = entry.time;
    const state = applyStatement(states.get(id) ?? UNCLAIMED, id, signed, placeOf(entry, times), world);
    states.set(id, state);
    viewed.get(id)!.push({ entry, signed, state });
  }
  judged = time;
  const stateOf = (id: string): PackageState => {
    const state = world.state(id);
    if (state === undefined && !chains.has(id)) throw noEvidence(`The evidence says nothing of ${id}.`);
    const settled = settle(state ?? UNCLAIMED, id, time, world);
    const last = lastIndexOf(chains.get(id));
    return last === null ? settled : endAdoption(settled, last);
  };
  return {
    policy,
    evidence,
    time,
    world,
    knows: (id) => chains.has(id),
    state: stateOf,
    entries: (id) => viewed.get(id) ?? [],
    lastIndex: (id) => lastIndexOf(chains.get(id)),
    releases: (id) => {
      const chain = chains.get(id);
      const all = chain?.kind === "linked" ? chain.all.filter(({ kind }) => kind === "release") : [];
      return all.flatMap((entry) => {
        const signed = open(entry);
        return signed === null ? [] : [{ entry, signed }];
      });
    },
  };
}

function lastIndexOf(chain: Chain | undefined): number | null {
  return chain?.kind === "linked" ? chain.last : null;
}

async function evidenceOf(
  ask: Readonly<Record<string, readonly string[]>> | null,
  policy: Policy,
  context: Context,
): Promise<OpenedEvidence> {
  const { ui, io } = context;
  const { evidence, warnings } = await loadEvidence({ policy, lockfile: lockfilePath(io, undefined), ask }, context);
  if ("code" in evidence) throw noEvidence(evidence.message, evidence.hint, evidence.code);
  for (const { message, code, hint } of warnings) ui.warn(`${message} [${code}]`, hint);
  return evidence;
}

interface Linked {
  id: string;
  entry: ProvedEntry;
  /** All entries of the same chain that the bundle has. */
  all: readonly ProvedEntry[];
}

function entriesOf(id: string, chain: Chain): Linked[] {
  switch (chain.kind) {
    case "unknown":
      throw noEvidence(`The evidence says nothing of ${id}.`, "Ask the log: leave --offline out.");
    case "incomplete":
      throw noEvidence(chain.message, "Ask again; the log held something back.");
    case "broken":
      throw chain.error;
    case "unclaimed":
      return [];
    case "linked":
      return chain.authority.map((entry) => ({ id, entry, all: chain.all }));
  }
}

function noEvidence(message: string, hint = "", reason = ""): CliError {
  return new CliError("NO_EVIDENCE", reason === "" ? message : `${message} (${reason})`, hint);
}
