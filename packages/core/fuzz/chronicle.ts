// A log as the fold sees it, whose states nobody can change, and which can be read again by others.
import { hash } from "node:crypto";
import {
  applyStatement,
  CoreError,
  type EntryPlace,
  type PackageState,
  settle,
  type Signer,
  type Statement,
  statementChains,
  UNCLAIMED,
  type World,
} from "../src/index.ts";
import { LOG } from "../test/support/town.ts";

/** A statement that was tried. */
export interface Tried {
  statement: Statement;
  signers: Signer[];
  time: number;
  /** Index of its first entry, if it was admitted. */
  first: number;
  refusal: CoreError | null;
}

export interface Chronicle {
  world: World;
  /** All entries of a statement or none. */
  enter(statement: Statement, signers: Signer[], time: number): Tried;
  /** The entries of a statement that another log has admitted, one chain after another; what this reader refuses of them changes nothing. */
  reread(tried: Tried): CoreError[];
  settled(subjectId: string, time: number): PackageState;
  state(subjectId: string): PackageState;
}

export function makeChronicle(recognised: World["recognised"], lenient: boolean, shift = 0): Chronicle {
  const states = new Map<string, PackageState>();
  const before = new Map<string, { index: number; time: number }>();
  const releases = new Map<string, number>();
  let next = 1;
  const state = (subjectId: string): PackageState => states.get(subjectId) ?? UNCLAIMED;
  const world: World = {
    origin: LOG,
    chartered: () => false,
    recognised,
    lenient,
    state,
    releaseTime: (releaseId) => releases.get(releaseId) ?? null,
  };
  const placeOf = (id: string, index: number, time: number): EntryPlace => {
    return { index, time, leafHash: leafOf(index), before: before.get(id) ?? null };
  };
  const apply = (statement: Statement, signers: Signer[], id: string, place: EntryPlace): PackageState =>
    frozen(applyStatement(state(id), id, { statement, digest: "", signers }, place, world));
  const keep = (statement: Statement, id: string, place: EntryPlace): void => {
    before.set(id, { index: place.index, time: place.time });
    if (statement.kind !== "release") return;
    for (const releaseId of statement.releases.keys()) releases.set(releaseId, place.time);
  };

  return {
    world,
    state,
    settled: (subjectId, time) => frozen(settle(state(subjectId), subjectId, time + shift, world)),
    enter: (statement, signers, time) => {
      const places = statementChains(statement).map((id, i) => [id, placeOf(id, next + i, time + shift)] as const);
      const after = refusalOr(() =>
        places.map(([id, place]) => [id, place, apply(statement, signers, id, place)] as const),
      );
      if (after instanceof CoreError) return { statement, signers, time, first: 0, refusal: after };
      for (const [id, place, changed] of after) {
        states.set(id, changed);
        keep(statement, id, place);
      }
      const first = next;
      next += places.length;
      return { statement, signers, time, first, refusal: null };
    },
    reread: ({ statement, signers, time, first }) => {
      const refusals: CoreError[] = [];
      const chains = statementChains(statement);
      const after = chains.map((id, i) => {
        const place = placeOf(id, first + i, time + shift);
        return [id, place, refusalOr(() => apply(statement, signers, id, place))] as const;
      });
      for (const [id, place, changed] of after) {
        if (changed instanceof CoreError) refusals.push(changed);
        else states.set(id, changed);
        keep(statement, id, place);
      }
      return refusals;
    },
  };
}

export function leafOf(index: number): Uint8Array {
  const known = leaves[index] ?? Uint8Array.from(hash("sha256", `leaf ${index}`, "buffer"));
  leaves[index] = known;
  return known;
}

const leaves: Uint8Array[] = [];

/** What a state comes to, as text, its times counted from `shift`. */
export function essenceOf(state: PackageState, shift = 0): string {
  const waits = (pending: { place: EntryPlace; effectiveAt: number; vetoable: boolean } | null): unknown =>
    pending && [pending.place.index, pending.effectiveAt - shift, pending.vetoable];
  const lines = state.lines.map((line) => [
    [line.root, line.claim.index, line.claim.time - shift, line.authority.digest, line.detailsFrom - shift],
    line.steps.map(({ digest, place }) => [digest, place.index]),
    [...line.revoked],
    [waits(line.change), line.change?.authority.digest, waits(line.recovery), line.recovery?.authority.digest],
    [line.funding, waits(line.pendingFunding), line.details],
    line.proofs.map(({ place, letter }) => [place.index, letter]),
    line.holds.map(({ place, until, renewals }) => [place.index, until === null ? null : until - shift, renewals]),
    line.endorsements.map(({ place, packageId }) => [place.index, packageId]),
  ]);
  const { adoption, settlesAt } = state;
  const adopts = adoption && [waits(adoption), adoption.authority.digest, adoption.expiresAt - shift];
  return JSON.stringify([
    [state.epoch, state.last?.index ?? null, settlesAt === null ? null : settlesAt - shift],
    adopts,
    lines,
  ]);
}

function refusalOr<T>(act: () => T): T | CoreError {
  try {
    return act();
  } catch (error) {
    if (error instanceof CoreError) return error;
    throw error;
  }
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
  if (value instanceof Set) {
    Object.assign(value, { add: refuseChange, delete: refuseChange, clear: refuseChange });
  }
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
  return value;
}

function refuseChange(): never {
  throw new Error("A set of a state was changed in place.");
}
