// What happened to one subject, counted again without the fold: written from chapter 10.
import { type Authority, type Details, encodeHex, type HeldKey } from "../src/index.ts";

const DAY = 86_400;
/** Days, once more: another table than the code's. */
export const DAYS = {
  claim: 7,
  solo: 7,
  lowering: 14,
  recovery: 30,
  funding: 14,
  adoption: 90,
  life: 1,
  succession: 21,
  finish: 30,
  dormancy: 365,
} as const;

/** Something that waits, by the entry that it came with. */
export interface Waiting {
  entry: string;
  index: number;
  at: number;
  vetoable: boolean;
  /** What it makes: another authority, or other addresses. */
  authority: Authority | null;
  addresses: string;
  details: Details;
}

export interface LineBook {
  claim: string;
  authority: Authority;
  /** What a committee is for, and since when. */
  details: Details;
  since: number;
  revoked: Set<string>;
  waiting: { change: Waiting | null; recovery: Waiting | null; funding: Waiting | null };
  addresses: string;
  /** When it showed its first proof (a). */
  proved: number | null;
}

export interface Word {
  claim: string;
  time: number;
  voters: readonly HeldKey[];
  threshold: number;
}

export interface Book {
  lines: LineBook[];
  epoch: number;
  /** From when the owner's window runs: the last claim, or first proof of a line. */
  opened: number;
  last: string | null;
  lastTime: number | null;
  lastAny: { index: number; time: number } | null;
  adoption: { entry: string; index: number; at: number; authority: Authority } | null;
  /** Until when the last authority entry is an adoption that may be said no to; null if it is none. */
  proposed: number | null;
  /** Endorsements of its claims by committees that count. */
  words: Word[];
}

export function newBook(): Book {
  return {
    lines: [],
    epoch: 0,
    opened: 0,
    last: null,
    lastTime: null,
    lastAny: null,
    adoption: null,
    proposed: null,
    words: [],
  };
}

export function newLine(
  claim: string,
  authority: Authority,
  details: Details,
  since: number,
  proved: number | null,
): LineBook {
  const waiting = { change: null, recovery: null, funding: null };
  return { claim, authority, details, since, revoked: new Set(), waiting, addresses: NO_ADDRESS, proved };
}

export const NO_ADDRESS = "[[],null]";

export function daysAfter(days: number, time: number): number {
  return time + days * DAY;
}

export function everyKey({ keys, recovery }: Authority): HeldKey[] {
  return [...keys, ...(recovery?.keys ?? [])];
}

/** Distinct people behind signatures, of these keys alone and without those that are void. */
export function peopleOf(keys: readonly HeldKey[], revoked: ReadonlySet<string>, signers: readonly string[]): string[] {
  const found = keys.filter(({ fingerprint }) => signers.includes(fingerprint) && !revoked.has(fingerprint));
  return [...new Set(found.map(({ holder }) => holder))];
}

export function people(keys: readonly HeldKey[], revoked: ReadonlySet<string> = new Set()): number {
  return peopleOf(
    keys,
    revoked,
    keys.map(({ fingerprint }) => fingerprint),
  ).length;
}

export function refOf(leafHash: Uint8Array): string {
  return encodeHex(leafHash);
}

/** Turns the clock of a subject: what time alone does until then. */
export function advance(book: Book, time: number): void {
  if (book.epoch === 0) settleLines(book, time);
  for (const line of book.lines) advanceLine(line, time);
  const { adoption } = book;
  if (adoption && time >= daysAfter(DAYS.finish, adoption.at)) book.adoption = null;
}

function advanceLine(line: LineBook, time: number): void {
  for (;;) {
    const due = Object.values(line.waiting)
      .filter((waiting) => waiting !== null)
      .filter(({ at }) => at <= time)
      .toSorted((a, b) => a.at - b.at || a.index - b.index)[0];
    if (!due) return;
    if (due.authority) takeAuthority(line, due.authority, due.details, due.at);
    else {
      line.addresses = due.addresses;
      line.waiting.funding = null;
    }
  }
}

export function takeAuthority(line: LineBook, authority: Authority, details: Details, since: number): void {
  line.details = details;
  line.since = since;
  line.authority = authority;
  line.waiting = { change: null, recovery: null, funding: null };
}

// first at the end of the window, then seven days after each later word.
function settleLines(book: Book, time: number): void {
  if (book.lines.length === 0) return;
  const first = daysAfter(DAYS.claim, book.opened);
  const later = book.words.filter((word) => word.time >= first).map((word) => daysAfter(DAYS.claim, word.time));
  for (const end of [first, ...later].toSorted((a, b) => a - b)) {
    if (end > time) return;
    for (const line of book.lines) advanceLine(line, end);
    const proof = book.lines.map((line) => strengthOf(book, line, end));
    const most = Math.max(...proof);
    const best = book.lines.filter((_, i) => proof[i] === most);
    if (most === 0 || best.length > 1) continue;
    book.lines = best;
    book.epoch = 1;
    return;
  }
}

function strengthOf(book: Book, line: LineBook, end: number): number {
  const party = everyKey(line.authority);
  const spoken = book.words.some(({ claim, time, voters, threshold }) => {
    if (claim !== line.claim || time >= end) return false;
    return people(voters.filter((voter) => !party.some((key) => isSame(key, voter)))) >= threshold;
  });
  if (spoken) return 2;
  return line.proved !== null && line.proved < end ? 1 : 0;
}

export function isSame(a: HeldKey, b: HeldKey): boolean {
  return a.fingerprint === b.fingerprint || a.holder === b.holder;
}
