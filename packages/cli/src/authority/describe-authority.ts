import {
  claimStatus,
  cleanText,
  countHolders,
  describeLoss,
  describeThreshold,
  encodeHex,
  type HeldKey,
  type HoldInForce,
  type JsonObject,
  type Line,
  lineInForce,
  type PackageState,
} from "@touchmark/core";
import { describeClock } from "../evidence/describe-clock.ts";
import { describeTime } from "../evidence/describe-evidence.ts";
import { table } from "../ui.ts";
import type { ViewedEntry } from "./log-view.ts";
import { type Waiting, waitingIn, waitingJson } from "./pending.ts";

/** A part of the answer, for people and for programs. */
export interface Shown {
  lines: string[];
  document: JsonObject;
}

/** What is known of the hardware behind a key, in few words; undefined where nobody was asked to look. */
export type ShowModel = (key: HeldKey) => { text: string; document: JsonObject } | undefined;

/** The whole state of a subject. `time` is log time. */
export function describeState(
  id: string,
  state: PackageState,
  entries: readonly ViewedEntry[],
  time: number,
  showModel: ShowModel,
): Shown {
  const status = claimStatus(state, time);
  const inForce = lineInForce(state);
  const shown = state.lines.map((line) => describeLine(line, state, time, showModel));
  const vetoes = vetoesIn(id, entries);
  const { last, epoch, settlesAt } = state;
  return {
    lines: [
      ...table([
        ["status", status],
        ...(state.lines.length === 0 ? [] : [["epoch", String(epoch)]]),
        ...(inForce === null && settlesAt !== null && settlesAt > time
          ? [["settled", describeClock(settlesAt, time)]]
          : []),
        ...(last === null ? [] : [["last entry", `${last.index}, ${describeTime(last.time)}`]]),
        ...vetoes.map(({ entry, against }) => [
          "vetoed",
          `entry ${against}, by entry ${entry.index} of ${describeTime(entry.time)}`,
        ]),
      ]),
      ...shown.flatMap(({ lines }, i) => [
        ...(shown.length > 1 ? ["", `claim ${i + 1} of ${shown.length}`] : []),
        ...lines,
      ]),
    ],
    document: {
      subject: id,
      status,
      epoch,
      settlesAt: inForce === null ? settlesAt : null,
      last: last && { entry: last.index, time: last.time, reference: encodeHex(last.leafHash) },
      lines: shown.map(({ document }) => document),
      adoption: waitingIn(state, null).map(waitingJson)[0] ?? null,
      vetoes: vetoes.map(({ entry, against }) => ({ entry: entry.index, time: entry.time, against })),
    },
  };
}

/** What a hold says, in one line. */
export function describeHold({ releases, reason, osv, until, kind, place }: HoldInForce, time: number): string {
  const versions = releases.map((id) => cleanText(id.slice(id.lastIndexOf("@") + 1))).join(", ");
  const ends = until === null ? "until it is lifted" : `until ${describeClock(until, time)}`;
  const by = kind === "quorum" ? "" : kind === "maintainer" ? " by one holder" : " by a committee";
  return `${versions} held${by}: ${cleanText(reason)}${osv === null ? "" : ` (${cleanText(osv)})`}, ${ends}, entry ${place.index}`;
}

/** What waits, in one line. */
export function describeWaiting(waiting: Waiting, time: number): string {
  const { what, effectiveAt, vetoable, entry, expiresAt, authority, channels } = waiting;
  const whose = authority === null ? "" : ` to ${authority.slice(0, 19)}…`;
  const where =
    channels === null
      ? ""
      : `: ${channels.map(({ type, address }) => `${cleanText(type)} ${cleanText(address)}`).join(", ")}`;
  const when =
    expiresAt === null
      ? `takes effect ${describeClock(effectiveAt, time)}`
      : effectiveAt > time
        ? `may be finished from ${describeClock(effectiveAt, time)}`
        : `may be finished until ${describeClock(expiresAt, time)}`;
  return `${what}${whose}${where}, entry ${entry}: ${when}; ${vetoable ? "any one key can veto it" : "it can't be vetoed"}`;
}

function describeLine(line: Line, state: PackageState, time: number, showModel: ShowModel): Shown {
  const { authority, details, revoked, claim, steps, proofs, funding, holds } = line;
  const { keys, recovery, successors, expedite } = authority;
  const waiting = waitingIn({ ...state, adoption: line === state.lines[0] ? state.adoption : null }, line);
  const holders = countHolders(keys);
  const decide = details === null ? "to release" : "to decide";
  const active = holds.filter(({ until }) => until === null || until > time);
  const keyRows = (list: readonly HeldKey[]): string[][] =>
    list.map((key) => [
      `  ${key.holder}`,
      key.fingerprint,
      showModel(key)?.text ?? (key.attestation ? `attestation ${cleanText(key.attestation.format)}` : "no attestation"),
      ...(revoked.has(key.fingerprint) ? ["revoked"] : []),
    ]);
  const facts: string[][] = [
    ["claim", `entry ${claim.index}, ${describeTime(claim.time)}`],
    ["authority", authority.digest],
    [decide, describeThreshold(authority.releaseThreshold, holders)],
    ["to change", describeThreshold(authority.changeThreshold, holders)],
    ...(recovery ? [["to recover", describeThreshold(recovery.threshold, countHolders(recovery.keys))]] : []),
    ...(expedite === null ? [] : [["in a hurry", `${expedite} can stand in for one holder`]]),
    ["adoption", authority.adoption],
    ...successors.map((fingerprint) => ["successor", fingerprint]),
    ...(authority.userVerification ? [["signatures", "with PIN or fingerprint"]] : []),
    ...(authority.deviceBound ? [["keys", "that can't be copied"]] : []),
    ...(details?.kind === "committee"
      ? [
          ["powers", details.powers.join(", ") || "none"],
          ["scope", details.scope.map((pattern) => cleanText(pattern)).join(", ")],
          ["term ends", describeClock(line.detailsFrom + details.termDays * 86_400, time)],
        ]
      : []),
    ...(details?.kind === "charter" ? [["listens to", details.committees.join(", ") || "no committee"]] : []),
    ...proofs.map(({ letter, evidence }) => [`proof (${letter})`, cleanText(evidence.slice(0, 200))]),
    ...(funding?.channels ?? []).map(({ type, address }) => ["funding", `${cleanText(type)} ${cleanText(address)}`]),
    ...waiting.map((one) => ["waiting", describeWaiting(one, time)]),
    ...active.map((hold) => ["hold", describeHold(hold, time)]),
  ];
  return {
    lines: [
      "keys",
      ...table(keyRows(keys)),
      ...(recovery ? ["recovery keys", ...table(keyRows(recovery.keys))] : []),
      ...table(facts),
      describeLoss(authority, details),
    ],
    document: {
      claim: { entry: claim.index, time: claim.time, reference: encodeHex(claim.leafHash) },
      authority: authority.digest,
      keys: keys.map((key) => keyJson(key, line, showModel)),
      recovery: recovery && {
        threshold: recovery.threshold,
        keys: recovery.keys.map((key) => keyJson(key, line, showModel)),
      },
      holders,
      releaseThreshold: authority.releaseThreshold,
      changeThreshold: authority.changeThreshold,
      successors,
      adoption: authority.adoption,
      expedite,
      userVerification: authority.userVerification,
      deviceBound: authority.deviceBound,
      details: detailsJson(line),
      steps: steps.map(({ digest, place }) => ({ authority: digest, entry: place.index })),
      proofs: proofs.map(({ letter, evidence, place }) => ({ letter, evidence, entry: place.index })),
      endorsements: line.endorsements.map(({ packageId, confirms, place }) => ({
        packageId,
        confirms: [...confirms],
        entry: place.index,
      })),
      funding: funding && {
        channels: funding.channels.map((channel) => ({ ...channel })),
        manifest: funding.manifest,
        needs: funding.needs && { ...funding.needs },
      },
      pending: waiting.filter(({ what }) => what !== "adoption").map(waitingJson),
      holds: active.map(holdJson),
    },
  };
}

function keyJson(key: HeldKey, { revoked }: Line, showModel: ShowModel): JsonObject {
  return {
    holder: key.holder,
    fingerprint: key.fingerprint,
    key: key.key.record,
    revoked: revoked.has(key.fingerprint),
    attestation: key.attestation?.format ?? null,
    model: showModel(key)?.document ?? null,
  };
}

function detailsJson({ details, detailsFrom }: Line): JsonObject | null {
  if (details === null) return null;
  if (details.kind === "charter") return { charter: [...details.committees] };
  return {
    scope: [...details.scope],
    powers: [...details.powers],
    termDays: details.termDays,
    termEnds: detailsFrom + details.termDays * 86_400,
  };
}

function holdJson({ place, kind, releases, reason, osv, until, renewals }: HoldInForce): JsonObject {
  const reference = encodeHex(place.leafHash);
  return { entry: place.index, reference, kind, releases: [...releases], reason, osv, until, renewals };
}

// What each veto has stopped; one that stops nothing is a sign of life [A-15].
function vetoesIn(id: string, entries: readonly ViewedEntry[]): { entry: ViewedEntry["entry"]; against: number }[] {
  return entries.flatMap(({ entry, signed: { statement } }, at) => {
    const before = entries[at - 1]?.state;
    const reference = statement.kind === "veto" ? statement.entries.get(id) : undefined;
    if (before === undefined || reference === undefined) return [];
    const waiting = [
      ...waitingIn(before, null),
      ...before.lines.flatMap((line) => waitingIn({ ...before, adoption: null }, line)),
    ];
    const hit = waiting.find((one) => one.vetoable && encodeHex(one.reference) === encodeHex(reference));
    return hit === undefined ? [] : [{ entry, against: hit.entry }];
  });
}
