// The whole state of a package as its rules have made it: what is in force, what waits, who holds what back, and whose word there is for it.
import {
  claimStatus,
  cleanText,
  type HoldInForce,
  holdsOn,
  isFrozen,
  type JsonObject,
  type Line,
  type PackageState,
  type Pending,
  proofLetters,
  type World,
} from "@touchmark/core";
import { describeHandover, type Handover } from "@touchmark/verify";
import { describeTime } from "./describe-evidence.ts";

/** A part of the answer, for people (rows of a table) and for programs. */
export interface Known {
  rows: string[][];
  document: JsonObject;
}

export interface StateQuestion {
  packageId: string;
  version: string | null;
  /** Settled at `time`. */
  state: PackageState;
  /** The line that is shown in full. */
  line: Line;
  handovers: readonly Handover[];
  /** Log time of the version's release entry, null if there is none. */
  released: number | null;
  /** Log time of the evidence. */
  time: number;
  world: World;
}

/** Status and clock, epoch, proofs, rival claims, what waits, holds. */
export function explainState(question: StateQuestion): Known {
  const { state, line, handovers, packageId, world } = question;
  const clock = clockOf(question);
  const proofs = proofsOf(line, packageId, world);
  const rivals = state.lines.filter((other) => other !== line);
  const pending = pendingOf(state, line);
  const holds = heldBy(question);
  return {
    rows: [
      ...(clock === null ? [] : [["clock", clock]]),
      ["epoch", state.epoch === 0 ? "none yet" : `${state.epoch}`],
      ...underOne("", handovers.map(describeHandover)),
      ...underOne("proofs", proofs.length === 0 ? ["none"] : proofs.map(({ letter, what }) => `(${letter}) ${what}`)),
      ...underOne(
        "rivals",
        rivals.map((rival) => describeRival(rival, packageId, world)),
      ),
      ...underOne("revoked", [...line.revoked]),
      ...underOne("pending", pending.map(describePending)),
      ...underOne(
        "held",
        holds.map(({ by, hold }) => describeHold(by, hold)),
      ),
    ],
    document: {
      epoch: state.epoch,
      frozen: line.revoked.size > 0 && isFrozen(line),
      settlesAt: state.settlesAt,
      handovers: handovers.map((handover) => ({ ...handover })),
      proofs,
      rivals: rivals.map((rival) => ({
        entry: rival.claim.index,
        authority: rival.authority.digest,
        proofs: proofLetters(rival, packageId, world),
      })),
      revoked: [...line.revoked],
      pending: pending.map(({ what, detail, pending: waits }) => ({
        what,
        detail,
        entry: waits.place.index,
        window: waits.window,
        effectiveAt: waits.effectiveAt,
        vetoable: waits.vetoable,
      })),
      holds: holds.map(({ by, hold }) => ({
        by,
        entry: hold.place.index,
        releases: [...hold.releases],
        reason: hold.reason,
        osv: hold.osv,
        until: hold.until,
      })),
    },
  };
}

/** Lines of which only the first has the title. */
export function underOne(title: string, lines: readonly string[]): string[][] {
  return lines.map((line, i) => [i === 0 ? title : "", line]);
}

function clockOf({ state, time }: StateQuestion): string | null {
  const { settlesAt, epoch } = state;
  if (epoch > 0 || settlesAt === null) return null;
  const when = describeTime(settlesAt);
  switch (claimStatus(state, time)) {
    case "pending":
      return `the strongest proof wins at ${when}`;
    case "contested":
      return `settled without a winner at ${when}: several proofs are equally strong`;
    default:
      return `lapsed at ${when} for want of a proof; one that comes now opens it for seven days more`;
  }
}

interface ShownProof extends JsonObject {
  letter: string;
  what: string;
  entry: number;
  /** Whether it counts for who has this policy. */
  counts: boolean;
}

function proofsOf(line: Line, packageId: string, world: World): ShownProof[] {
  const counting = proofLetters(line, packageId, world);
  const recorded = line.proofs.map(({ letter, evidence, place }): ShownProof => {
    const counts = counting.includes(letter);
    const [version = "", sha512 = ""] = letter === "a" ? evidence.split(" ") : [];
    const shown = letter === "a" ? `version ${version}, sha512 ${sha512.slice(0, 32)}…` : cleanText(evidence, 200);
    const doubt = counts ? "" : ", which no recognised committee has confirmed";
    return { letter, what: `${shown}, entry ${place.index}${doubt}`, entry: place.index, counts };
  });
  const endorsed = [...world.recognised.keys()].flatMap((id) =>
    (counting.includes("e") ? (world.state(id)?.lines ?? []) : []).flatMap(({ endorsements }) =>
      endorsements
        .filter((given) => given.packageId === packageId)
        .map(({ place, confirms }): ShownProof => {
          const also = confirms.length === 0 ? "" : `, which confirms ${confirms.map((one) => `(${one})`).join(", ")}`;
          return { letter: "e", what: `${id}, entry ${place.index}${also}`, entry: place.index, counts: true };
        }),
    ),
  );
  return [...recorded, ...endorsed];
}

function describeRival(rival: Line, packageId: string, world: World): string {
  const { claim, authority } = rival;
  const holders = [...new Set(authority.keys.map(({ holder }) => holder))].join(", ");
  const letters = proofLetters(rival, packageId, world);
  const proof = letters.length === 0 ? "no proof" : `proof ${letters.map((letter) => `(${letter})`).join(", ")}`;
  return `entry ${claim.index}, of ${holders}, ${proof}: ${authority.digest}`;
}

interface Waiting {
  what: "change" | "recovery" | "funding" | "adoption";
  /** What will be in force: an authority's digest, or addresses. */
  detail: string;
  pending: Pending;
}

function pendingOf({ adoption }: PackageState, { change, recovery, pendingFunding }: Line): Waiting[] {
  const waiting: Waiting[] = [];
  if (change) waiting.push({ what: "change", detail: change.authority.digest, pending: change });
  if (recovery) waiting.push({ what: "recovery", detail: recovery.authority.digest, pending: recovery });
  if (pendingFunding) {
    const addresses = pendingFunding.terms.channels.map(({ type, address }) => `${type} ${address}`);
    waiting.push({ what: "funding", detail: addresses.join(", ") || "nothing", pending: pendingFunding });
  }
  if (adoption) waiting.push({ what: "adoption", detail: adoption.authority.digest, pending: adoption });
  return waiting;
}

function describePending({ what, detail, pending: { place, effectiveAt, vetoable } }: Waiting): string {
  const when = describeTime(effectiveAt);
  const then = what === "adoption" ? `may be finished from ${when} on` : `takes effect on ${when}`;
  const veto = vetoable ? "any of its keys may veto it" : "nobody may veto it";
  return `${what}, entry ${place.index}, ${then}, ${veto}: ${detail}`;
}

function heldBy(question: StateQuestion): { by: string; hold: HoldInForce }[] {
  const { packageId, version, state, line, released, time, world } = question;
  if (version !== null) return holdsOn({ ...state, lines: [line] }, packageId, version, released, time, world);
  return line.holds.filter(({ until }) => until === null || time < until).map((hold) => ({ by: packageId, hold }));
}

function describeHold(by: string, { place, until, reason, osv }: HoldInForce): string {
  const end = until === null ? "until it is lifted" : `until ${describeTime(until)}`;
  return `by ${by}, entry ${place.index}, ${end}: ${cleanText(reason)}${osv === null ? "" : ` [${osv}]`}`;
}
