// Whether the rules let a statement in, and what it does then: by the books, not by the fold.
import type { Adopt, AdoptFinal, Change, Claim, Funding, Proof, Revoke, Statement, Veto } from "../src/index.ts";
import {
  type Book,
  DAYS,
  daysAfter,
  everyKey,
  isSame,
  type LineBook,
  newLine,
  NO_ADDRESS,
  people,
  peopleOf,
  refOf,
  takeAuthority,
  type Waiting,
} from "./book.ts";
import { RECOGNISED } from "./people.ts";

/** Where a statement would be entered. */
export interface Spot {
  id: string;
  index: number;
  entry: string;
  time: number;
}

/** What a statement does to a subject's book; `no` if the rules refuse it, `unsure` where the books don't know. */
export type Judgement = { does: () => void } | "no" | "unsure";

export type Books = (subjectId: string) => Book;

export function judge(books: Books, statement: Statement, signers: readonly string[], spot: Spot): Judgement {
  const book = books(spot.id);
  switch (statement.kind) {
    case "claim":
      return judgeClaim(book, statement, signers, spot);
    case "proof":
      return judgeProof(book, statement, signers, spot);
    case "release":
      return judgeRelease(books, spot, signers);
    case "change":
      return judgeChange(book, statement, signers, spot);
    case "revoke":
      return judgeRevoke(book, statement, signers);
    case "veto":
      return judgeVeto(book, statement, signers, spot);
    case "funding":
      return judgeFunding(book, statement, signers, spot);
    case "adopt":
      return judgeAdopt(books, statement, signers, spot);
    case "adopt-final":
      return judgeFinal(book, statement, signers, spot);
    case "hold":
    case "lift":
    case "endorse":
    case "review":
      return "unsure";
  }
}

function judgeClaim(
  book: Book,
  { packages, authority, details }: Claim,
  signers: readonly string[],
  spot: Spot,
): Judgement {
  const { previous, proof } = packages.get(spot.id)!;
  const listed = everyKey(authority).map(({ fingerprint }) => fingerprint);
  if (book.epoch > 0 || !follows(book, previous) || !sameSet(listed, signers)) return "no";
  if (book.lines.some((line) => line.authority.digest === authority.digest)) return "no";
  const full = book.lines.length >= 8;
  if (book.lines.length > 0 && (proof === null || (full && spot.time < daysAfter(DAYS.claim, book.opened))))
    return "no";
  const line = newLine(spot.entry, authority, details, spot.time, proof === null ? null : spot.time);
  return {
    does: () => {
      if (full) book.lines.pop();
      book.lines.push(line);
      if (spot.id.startsWith("committee:")) book.epoch = 1;
      book.opened = Math.max(book.opened, spot.time);
    },
  };
}

function judgeProof(book: Book, { proofs }: Proof, signers: readonly string[], spot: Spot): Judgement {
  const { claim, letter } = proofs.get(spot.id)!;
  const line = book.lines.find((candidate) => candidate.claim === refOf(claim));
  if (!line || book.epoch > 0 || !areLive(line, line.authority.keys, signers)) return "no";
  return {
    does: () => {
      if (letter !== "a" || line.proved !== null) return;
      line.proved = spot.time;
      book.opened = spot.time;
    },
  };
}

function judgeRelease(books: Books, { id, time }: Spot, signers: readonly string[]): Judgement {
  const book = books(id);
  if (book.lines.length > 1) {
    // Of rivals one at least must have released it; which is a matter of who its signers are.
    return book.lines.some((line) => mayRelease(books, line, id, time, signers)) ? "unsure" : "no";
  }
  const line = book.lines[0];
  return line && mayRelease(books, line, id, time, signers) ? { does: () => {} } : "no";
}

// [S-22], [A-12], [A-14]
function mayRelease(
  books: Books,
  { authority, revoked }: LineBook,
  id: string,
  time: number,
  signers: readonly string[],
): boolean {
  const m = authority.releaseThreshold;
  if (people(authority.keys, revoked) < m) return false;
  const own = signers.filter((signer) => authority.keys.some(({ fingerprint }) => fingerprint === signer));
  if (own.some((signer) => revoked.has(signer))) return false;
  const votes = peopleOf(authority.keys, revoked, own).length;
  if (own.length === signers.length) return votes >= m;
  const others = signers.filter((signer) => !own.includes(signer));
  if (authority.expedite === null || votes < m - 1 || votes === 0) return false;
  return votesFor(books, authority.expedite, "expedite", id, time, others, everyKey(authority));
}

// `signers` are all members, and enough of them are no party.
function votesFor(
  books: Books,
  committeeId: string,
  power: "adopt" | "expedite",
  packageId: string,
  time: number,
  signers: readonly string[],
  parties: readonly ReturnType<typeof everyKey>[number][],
): boolean {
  const seat = books(committeeId);
  const line = seat.lines[0];
  if (!line || !RECOGNISED.has(committeeId)) return false;
  const { details, since } = line;
  if (details?.kind !== "committee") return false;
  const covers = details.scope.includes("*") || details.scope.includes(packageId.slice("npm:npmjs/".length));
  if (!covers || !details.powers.includes(power) || time >= daysAfter(details.termDays, since)) return false;
  if (!areLive(line, line.authority.keys, signers)) return false;
  const members = line.authority.keys.filter((key) => !parties.some((party) => isSame(party, key)));
  return peopleOf(members, line.revoked, signers).length >= line.authority.releaseThreshold;
}

function judgeChange(book: Book, statement: Change, signers: readonly string[], spot: Spot): Judgement {
  if (book.lines.length === 0 || !follows(book, statement.packages.get(spot.id)!.previous)) return "no";
  const only = book.lines.find((line) => changeOf(line, statement, signers, spot) !== null);
  if (!only) return "no";
  // Of two claims' people together it is a matter of how many each has, and which is newer [A-1].
  const concerned = book.lines.filter((line) =>
    everyKey(line.authority).some((key) => signers.includes(key.fingerprint)),
  );
  if (concerned.length > 1) return "unsure";
  return { does: changeOf(only, statement, signers, spot)! };
}

// to; null where the line's rules refuse it.
function changeOf(
  line: LineBook,
  { authority: after, details }: Change,
  signers: readonly string[],
  { entry, index, time }: Spot,
): (() => void) | null {
  const before = line.authority;
  const known = everyKey(before).map(({ fingerprint }) => fingerprint);
  const listed = everyKey(after).map(({ fingerprint }) => fingerprint);
  const added = listed.filter((fingerprint) => !known.includes(fingerprint));
  if (listed.some((fingerprint) => line.revoked.has(fingerprint))) return null;
  if (added.some((fingerprint) => !signers.includes(fingerprint))) return null;
  if (signers.some((signer) => line.revoked.has(signer) || ![...known, ...added].includes(signer))) return null;
  const voters = peopleOf(before.keys, line.revoked, signers);
  const byHolders = voters.length >= before.changeThreshold;
  const { recovery } = before;
  const recoverers = recovery === null ? 0 : peopleOf(recovery.keys, line.revoked, signers).length;
  if (!byHolders && (recovery === null || recoverers < recovery.threshold)) return null;
  const wait = (days: number, vetoable: boolean): Waiting => {
    return { entry, index, at: daysAfter(days, time), vetoable, authority: after, details, addresses: "" };
  };
  if (!byHolders) return () => (line.waiting.recovery = wait(DAYS.recovery, true));
  const alone = people(before.keys) === 1;
  const days = isWeaker(line, after, voters) ? DAYS.lowering : alone ? DAYS.solo : 0;
  return () => {
    line.waiting.recovery = null;
    if (days === 0) takeAuthority(line, after, details, time);
    else line.waiting.change = wait(days, alone);
  };
}

//
function isWeaker({ authority: before, revoked }: LineBook, after: Change["authority"], voters: string[]): boolean {
  const lost = before.keys
    .filter(({ fingerprint }) => !revoked.has(fingerprint))
    .map(({ holder }) => holder)
    .filter((holder) => !voters.includes(holder))
    .some((holder) =>
      before.keys
        .filter((key) => key.holder === holder && !revoked.has(key.fingerprint))
        .every((key) => !after.keys.some((kept) => kept.fingerprint === key.fingerprint && kept.holder === holder)),
    );
  const lowers = after.releaseThreshold < before.releaseThreshold || after.changeThreshold < before.changeThreshold;
  return lost || lowers || (after.expedite !== null && after.expedite !== before.expedite);
}

function judgeRevoke(book: Book, { keys }: Revoke, signers: readonly string[]): Judgement {
  const lines = book.lines.filter((line) => {
    const known = everyKey(line.authority);
    const names = keys.every((key) => known.some(({ fingerprint }) => fingerprint === key) && !line.revoked.has(key));
    if (!names || !areLive(line, known, signers)) return false;
    if (sameSet(keys, signers)) return true;
    const recovers = keys.some((key) => line.authority.recovery?.keys.some(({ fingerprint }) => fingerprint === key));
    if (recovers && people(line.authority.keys) === 1) return false;
    return peopleOf(line.authority.keys, line.revoked, signers).length >= line.authority.changeThreshold;
  });
  if (lines.length === 0) return "no";
  return { does: () => lines.forEach((line) => keys.forEach((key) => line.revoked.add(key))) };
}

function judgeVeto(book: Book, { entries }: Veto, signers: readonly string[], { id, time }: Spot): Judgement {
  const entry = refOf(entries.get(id)!);
  const mine = book.lines.filter((line) => areLive(line, everyKey(line.authority), signers));
  for (const line of mine) {
    const { change, recovery, funding } = line.waiting;
    for (const [name, waiting] of Object.entries({ change, recovery, funding }))
      if (waiting?.vetoable && waiting.entry === entry)
        return { does: () => (line.waiting[name as "change" | "recovery" | "funding"] = null) };
  }
  const opposes = book.proposed !== null && time < book.proposed;
  const early = book.lastTime !== null && time < daysAfter(DAYS.life, book.lastTime);
  if (mine.length === 0 || book.last !== entry || (early && !opposes)) return "no";
  return book.lines.length > 1 ? "unsure" : { does: () => {} };
}

function judgeFunding(book: Book, funding: Funding, signers: readonly string[], spot: Spot): Judgement {
  const { id, entry, index, time } = spot;
  if (!follows(book, funding.packages.get(id)!.previous)) return "no";
  const lines = book.lines.filter(
    (line) =>
      areLive(line, line.authority.keys, signers) &&
      peopleOf(line.authority.keys, line.revoked, signers).length >= line.authority.changeThreshold,
  );
  const [line] = lines;
  if (!line) return "no";
  if (book.lines.length > 1) return "unsure";
  const addresses = JSON.stringify([funding.channels, funding.manifest]);
  return {
    does: () => {
      const at = daysAfter(DAYS.funding, time);
      const same = line.addresses === addresses || (addresses === NO_ADDRESS && line.addresses === NO_ADDRESS);
      line.waiting.funding = same
        ? null
        : { entry, index, at, vetoable: true, authority: null, details: null, addresses };
    },
  };
}

//
function judgeAdopt(
  books: Books,
  adopt: Adopt,
  signers: readonly string[],
  { id, index, entry, time }: Spot,
): Judgement {
  const book = books(id);
  const line = book.epoch > 0 ? book.lines[0] : undefined;
  const { authority, committees } = adopt;
  if (!line || !follows(book, adopt.previous) || line.authority.adoption === "never") return "no";
  if (book.lastAny === null || time < daysAfter(DAYS.dormancy, book.lastAny.time)) return "no";
  const candidates = everyKey(authority);
  const named = candidates.map(({ fingerprint }) => fingerprint);
  if (named.some((key) => !signers.includes(key) || line.revoked.has(key))) return "no";
  const others = signers.filter((signer) => !named.includes(signer));
  const free =
    line.authority.adoption === "open" ||
    authority.keys.some(({ fingerprint }) => line.authority.successors.includes(fingerprint));
  if (free ? others.length > 0 || committees.length > 0 : committees.length < 2) return "no";
  const seats = committees.map((committeeId) => books(committeeId).lines[0]?.authority.keys ?? []);
  const double = seats.flatMap((keys, i) =>
    keys.filter((key) => seats.some((other, j) => i !== j && other.some((one) => isSame(one, key)))),
  );
  const parties = [...everyKey(line.authority), ...candidates, ...double];
  const supported = committees.every((committeeId, i) => {
    const own = others.filter((signer) => seats[i]!.some(({ fingerprint }) => fingerprint === signer));
    return votesFor(books, committeeId, "adopt", id, time, own, parties);
  });
  const seated = seats.flat();
  if (!supported || others.some((signer) => !seated.some(({ fingerprint }) => fingerprint === signer))) return "no";
  const at = daysAfter(free ? DAYS.succession : DAYS.adoption, time);
  return { does: () => (book.adoption = { entry, index, at, authority }) };
}

//
function judgeFinal(
  book: Book,
  { adoption: reference }: AdoptFinal,
  signers: readonly string[],
  spot: Spot,
): Judgement {
  const { adoption } = book;
  if (!adoption || adoption.entry !== refOf(reference)) return "no";
  if (book.lastAny?.index !== adoption.index || spot.time < adoption.at) return "no";
  const { keys, releaseThreshold } = adoption.authority;
  if (signers.some((signer) => !keys.some(({ fingerprint }) => fingerprint === signer))) return "no";
  if (peopleOf(keys, new Set(), signers).length < releaseThreshold) return "no";
  return {
    does: () => {
      book.lines = [newLine(book.lines[0]!.claim, adoption.authority, null, spot.time, null)];
      book.epoch++;
      book.adoption = null;
    },
  };
}

function follows(book: Book, previous: Uint8Array | null): boolean {
  return previous === null ? book.last === null : refOf(previous) === book.last;
}

function areLive(line: LineBook, keys: readonly { fingerprint: string }[], signers: readonly string[]): boolean {
  if (signers.length === 0) return false;
  return signers.every((signer) => !line.revoked.has(signer) && keys.some(({ fingerprint }) => fingerprint === signer));
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one));
}
