// Histories as data: what test/vectors/authority/README.md says of them, played through the rules.
import { leafOf, makeChronicle } from "../../fuzz/chronicle.ts";
import {
  claimStatus,
  CoreError,
  encodeCanonicalJson,
  encodeHex,
  holdsOn,
  type JsonObject,
  judgeRelease,
  type Line,
  type PackageState,
  parseStatement,
  type Power,
  refuseSecondRelease,
  type ReleasedVersion,
  type Statement,
  statementChains,
  type World,
} from "../../src/index.ts";
import { encodeUtf8 } from "../../src/bytes.ts";
import { nobleCrypto } from "../../src/noble.ts";
import { keyOf } from "./town.ts";

export interface HistoryVector {
  /** Of the attacks and accidents that the rules must withstand. */
  case: number;
  name: string;
  rules: string[];
  /** The committees that count, and for what. */
  recognised: Record<string, Power[]>;
  steps: HistoryStep[];
  /** What somebody sees at the end who recognises other committees. */
  readers: { recognised: Record<string, Power[]>; states: Record<string, JsonObject> }[];
}

export interface HistoryStep {
  time: number;
  /** Left out where only the clock has moved. */
  statement?: JsonObject;
  /** Names of keys in keys.json. */
  signers?: string[];
  refused?: { code: string; rule: string } | null;
  /** By subject id, the leaf hashes of its entries; empty if it was refused. */
  entries?: Record<string, string>;
  /** Of the subjects of the statement, or of those that are looked at, settled at the step's time. */
  states: Record<string, JsonObject>;
}

type Asked = Pick<HistoryStep, "time" | "statement" | "signers"> & { look?: readonly string[] };

export interface HistoryPlayer {
  play(asked: Asked): HistoryStep;
  /** What another reader sees now. */
  reader(recognised: Record<string, Power[]>, ids: readonly string[], time: number): HistoryVector["readers"][0];
}

export function playHistory(recognised: Record<string, Power[]>): HistoryPlayer {
  const log = makeChronicle(new Map(Object.entries(recognised)), false);
  const admitted: ReturnType<typeof log.enter>[] = [];
  const released = new Map<string, ReleasedVersion>();
  const statesOf = (seen: typeof log, ids: readonly string[], time: number): Record<string, JsonObject> =>
    Object.fromEntries(ids.map((id) => [id, essentialsOf(seen.settled(id, time), id, time, seen.world)]));

  // [S-23] is the log's to see: the rules of one entry don't know of other entries.
  const refuseAgain = (statement: Statement, signers: { fingerprint: string; flags: number }[], time: number): void => {
    if (statement.kind !== "release") return;
    for (const [id, one] of statement.releases) {
      const { line } = judgeRelease(log.settled(one.packageId, time), one.packageId, signers, time, log.world);
      const before = released.get(`${line.root} ${id}`);
      if (before) refuseSecondRelease(one, before);
      released.set(`${line.root} ${id}`, one);
    }
  };

  return {
    play: ({ time, statement: payload, signers: names = [], look = [] }) => {
      if (!payload) return { time, states: statesOf(log, look, time) };
      const statement = parseStatement(nobleCrypto, encodeUtf8(encodeCanonicalJson(payload)));
      const signers = names.map((name) => ({ fingerprint: keyOf(name).fingerprint, flags: 0x05 }));
      let refusal: CoreError | null = null;
      let entries: Record<string, string> = {};
      try {
        refuseAgain(statement, signers, time);
        const tried = log.enter(statement, signers, time);
        if (tried.refusal) throw tried.refusal;
        admitted.push(tried);
        entries = Object.fromEntries(
          statementChains(statement).map((id, i) => [id, encodeHex(leafOf(tried.first + i))]),
        );
      } catch (error) {
        if (!(error instanceof CoreError)) throw error;
        refusal = error;
      }
      const refused = refusal && { code: refusal.code, rule: refusal.rule };
      const ids = [...new Set([...statementChains(statement), ...look])];
      return { time, statement: payload, signers: names, refused, entries, states: statesOf(log, ids, time) };
    },
    reader: (others, ids, time) => {
      const reader = makeChronicle(new Map(Object.entries(others)), true);
      for (const tried of admitted) reader.reread(tried);
      return { recognised: others, states: statesOf(reader, ids, time) };
    },
  };
}

function essentialsOf(state: PackageState, id: string, time: number, world: World): JsonObject {
  const waits = (pending: Line["change"] | Line["pendingFunding"] | PackageState["adoption"]): JsonObject | null =>
    pending && {
      entry: encodeHex(pending.place.leafHash),
      from: pending.effectiveAt,
      vetoable: pending.vetoable,
      ...("authority" in pending ? { authority: pending.authority.digest } : {}),
    };
  const versions = [...new Set(state.lines.flatMap(({ holds }) => holds.flatMap(({ releases }) => releases)))];
  const seen = id.startsWith("npm:") ? [...new Set([...versions, `${id}@1.0.0`])].toSorted() : [];
  const holds = seen.flatMap((releaseId) => {
    const version = releaseId.slice(releaseId.lastIndexOf("@") + 1);
    return holdsOn(state, id, version, world.releaseTime(releaseId) ?? null, time, world).map(({ by, hold }) => {
      return { by, release: releaseId, until: hold.until };
    });
  });
  return {
    status: claimStatus(state, time),
    epoch: state.epoch,
    lines: state.lines.map((line) => ({
      authority: line.authority.digest,
      releases: {
        needs: line.authority.releaseThreshold,
        holders: [
          ...new Set(
            line.authority.keys.filter(({ fingerprint }) => !line.revoked.has(fingerprint)).map(({ holder }) => holder),
          ),
        ],
      },
      change: waits(line.change),
      recovery: waits(line.recovery),
      funding: line.funding?.channels.map(({ address }) => address) ?? [],
      fundingWaits: waits(line.pendingFunding),
    })),
    adoption: waits(state.adoption),
    holds,
  };
}
