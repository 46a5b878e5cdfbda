// Holds, endorsements and reviews: they stand in a chain of their own, so here it is checked that whoever is counted may be, and how long a hold lasts.
import { type HeldKey, holdsOn, type Statement } from "../src/index.ts";
import { type Book, daysAfter, everyKey, isSame, peopleOf } from "./book.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Books } from "./judge.ts";
import { PACKAGES, RECOGNISED } from "./people.ts";

/** Until when at most those may hold who can't hold for good, by who holds and what. */
export interface HoldLimits {
  note(by: string, releaseId: string, latest: number, renews: boolean): void;
  check(log: Chronicle, time: number): void;
}

const MAINTAINER_DAYS = 3;
const COMMITTEE_DAYS = 14;
const TIMES = 3;

export function holdLimits(): HoldLimits {
  const limits = new Map<string, number>();
  const times = new Map<string, number>();
  return {
    note: (by, releaseId, latest, renews) => {
      const name = `${by} ${releaseId}`;
      const before = times.get(name) ?? 0;
      if (before > 0 && !renews) throw new Error(`${by} holds ${releaseId} again`);
      if (before >= TIMES) throw new Error(`${by} goes on holding ${releaseId} once too often`);
      times.set(name, before + 1);
      limits.set(name, Math.min(latest, limits.get(name) ?? Infinity));
    },
    check: (log, time) => {
      for (const packageId of PACKAGES) {
        const version = "1.0.0";
        const released = log.world.releaseTime(`${packageId}@${version}`) ?? null;
        for (const { by, hold } of holdsOn(
          log.settled(packageId, time),
          packageId,
          version,
          released,
          time,
          log.world,
        )) {
          if (hold.kind === "quorum" || hold.osv !== null) continue;
          const latest = limits.get(`${by} ${packageId}@${version}`);
          if (latest !== undefined && time >= latest) throw new Error(`${by} holds ${packageId} for too long`);
        }
      }
    },
  };
}

/** Checks a hold, lift, endorsement or review that was admitted, and keeps an endorsement in the books. */
export function checkWords(
  books: Books,
  closed: ReadonlySet<string>,
  statement: Statement,
  signers: readonly string[],
  time: number,
  first: number,
  limits: HoldLimits,
): void {
  if (!isWord(statement)) return;
  const { by } = statement;
  const lines = books(by).lines.filter(({ authority, revoked }) =>
    signers.every((signer) => !revoked.has(signer) && authority.keys.some(({ fingerprint }) => fingerprint === signer)),
  );
  if (!closed.has(by) && (lines.length === 0 || signers.length === 0))
    throw new Error(`entry ${first}: not by the people of ${by}`);
  const enough = (needed: (book: Book["lines"][0]) => number): boolean =>
    closed.has(by) || lines.some((line) => peopleOf(line.authority.keys, line.revoked, signers).length >= needed(line));
  if (statement.kind === "lift") {
    if (!enough(({ authority }) => authority.changeThreshold)) throw new Error(`entry ${first}: lifted by too few`);
    return;
  }
  const [line] = lines;
  const isCommittee = by.startsWith("committee:");
  if (isCommittee) {
    for (const packageId of aboutOf(statement).filter((id) => !closed.has(id))) {
      const voters = line!.authority.keys.filter((key) => !isParty(statement, books(packageId), packageId, key));
      if (peopleOf(voters, line!.revoked, signers).length < line!.authority.releaseThreshold)
        throw new Error(`entry ${first}: too few members of ${by} who are no party`);
    }
  }
  if (statement.kind === "endorse") {
    if (!RECOGNISED.has(by)) return;
    const voters = line!.authority.keys.filter(({ fingerprint }) => signers.includes(fingerprint));
    for (const [packageId, { claim }] of statement.claims) {
      const word = {
        claim: Buffer.from(claim).toString("hex"),
        time,
        voters,
        threshold: line!.authority.releaseThreshold,
      };
      books(packageId).words.push(word);
    }
    return;
  }
  if (statement.kind === "review") return;
  if (!isCommittee && enough(({ authority }) => authority.releaseThreshold)) return;
  if (isCommittee && statement.osv !== null) return;
  const days = TIMES * (isCommittee ? COMMITTEE_DAYS : MAINTAINER_DAYS);
  if (books(by).epoch === 0) return; // rivals hold each for themselves
  for (const releaseId of statement.releases)
    limits.note(by, releaseId, daysAfter(days, time), statement.renews !== null);
}

type Word = Extract<Statement, { kind: "hold" | "lift" | "endorse" | "review" }>;

function isWord(statement: Statement): statement is Word {
  return ["hold", "lift", "endorse", "review"].includes(statement.kind);
}

function aboutOf(word: Exclude<Word, { kind: "lift" }>): string[] {
  if (word.kind === "endorse") return [...word.claims.keys()];
  const releases = word.kind === "hold" ? word.releases : [...word.reviews.keys()];
  return PACKAGES.filter((id) => releases.some((one) => one.startsWith(`${id}@`)));
}

//
function isParty(word: Exclude<Word, { kind: "lift" }>, book: Book, packageId: string, key: HeldKey): boolean {
  const everybody = book.lines.flatMap(({ authority }) => everyKey(authority));
  if (word.kind === "endorse") {
    const claim = Buffer.from(word.claims.get(packageId)!.claim).toString("hex");
    const spokenFor = book.lines.filter((line) => line.claim === claim);
    return spokenFor.some(({ authority }) => everyKey(authority).some((party) => isSame(party, key)));
  }
  if (word.kind === "review" && book.epoch > 0) return everybody.some((party) => isSame(party, key));
  return everybody.some(({ fingerprint }) => fingerprint === key.fingerprint);
}
