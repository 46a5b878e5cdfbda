// The next thing that somebody tries: what would be lawful as a rule, and often something close to it that isn't.
import { type Authority, type HeldKey, NO_EARLIER, type Statement } from "../src/index.ts";
import { parseHex } from "../src/bytes.ts";
import type { Random } from "../../fido/fuzz/random.ts";
import { LOG } from "../test/support/town.ts";
import { type Book, DAYS, daysAfter, everyKey, type LineBook } from "./book.ts";
import { leafOf } from "./chronicle.ts";
import type { Books } from "./judge.ts";
import { AUTHORITIES, BOARDS, COMMITTEES, DETAILS, ONE, PACKAGES, STRANGER, TWO } from "./people.ts";

export interface Attempt {
  statement: Statement;
  signers: string[];
}

/** What the inventor sees: the books, and the entries so far. */
export interface Scene {
  random: Random;
  books: Books;
  /** Number of entries so far. */
  entries: number;
  /** References of the holds that were entered, with who holds. */
  holds: { by: string; entry: Uint8Array; releases: string[] }[];
  /** Whether the last thing that was entered is a hold or its end. */
  held: boolean;
  /** The adoptions, whether something still waits for them or not. */
  adoptions: { id: string; entry: Uint8Array; authority: Authority }[];
}

const LOGS = { logs: [LOG] };

/** Committees are founded first, some of them, then packages are claimed. */
export function invent(scene: Scene, step: number, time: number): Attempt {
  const { random, books } = scene;
  const committeeId = COMMITTEES[step];
  if (committeeId !== undefined && chance(random, 92)) return found(scene, committeeId);
  const id = chance(random, 80) ? PACKAGES[0] : PACKAGES[1];
  const book = books(id);
  if (book.lines.length === 0 || (book.epoch === 0 && chance(random, 15))) return claim(scene, id);
  const attempt = kindNow(scene, book, time)(scene, id, book);
  return chance(random, 12) ? { ...attempt, signers: distorted(scene, attempt.signers) } : attempt;
}

function kindNow({ random, adoptions, held }: Scene, book: Book, time: number): Kind {
  if (held && chance(random, 50)) return chance(random, 70) ? hold : lift;
  if (book.epoch === 0) return BEFORE[random.below(BEFORE.length)]!;
  if (book.adoption && chance(random, 50)) return finish;
  if (book.epoch === 1 && adoptions.length > 0 && chance(random, 30)) return finish;
  const dormant = book.lastAny !== null && time >= daysAfter(DAYS.dormancy, book.lastAny.time);
  return dormant && chance(random, 60) ? adopt : AFTER[random.below(AFTER.length)]!;
}

type Kind = (scene: Scene, id: string, book: Book) => Attempt;

const BEFORE: readonly Kind[] = [
  prove,
  prove,
  prove,
  endorse,
  endorse,
  change,
  release,
  revoke,
  veto,
  fund,
  hold,
  review,
  claim,
];
const AFTER: readonly Kind[] = [
  change,
  change,
  change,
  change,
  veto,
  veto,
  veto,
  release,
  release,
  revoke,
  fund,
  adopt,
  finish,
  hold,
  lift,
  endorse,
  review,
  board,
  claim,
  prove,
];

function found({ random }: Scene, id: string): Attempt {
  const usual = BOARDS[COMMITTEES.findIndex((one) => one === id)]!;
  const authority = chance(random, 50) ? usual : random.pick(BOARDS);
  const details = chance(random, 88) ? DETAILS[0] : random.pick(DETAILS);
  const packages = new Map([[id, { previous: null, earlier: NO_EARLIER, proof: null }]]);
  return { statement: { kind: "claim", ...LOGS, packages, authority, details }, signers: fingerprints(authority) };
}

function claim({ random, books }: Scene, id: string): Attempt {
  const authority = random.pick(AUTHORITIES);
  const ids = id === PACKAGES[0] && chance(random, 20) ? [...PACKAGES].toSorted() : [id];
  const packages = new Map(
    ids.map((one) => {
      const proof = chance(random, 60) ? { version: "1.0.1", sha512: "ab".repeat(64) } : null;
      return [one, { previous: lastOf(books(one)), earlier: NO_EARLIER, proof }];
    }),
  );
  return {
    statement: { kind: "claim", ...LOGS, packages, authority, details: null },
    signers: fingerprints(authority),
  };
}

function prove({ random }: Scene, id: string, book: Book): Attempt {
  const line = lineOf(random, book);
  const ref = parseHex(line.claim);
  const proof = chance(random, 80)
    ? { claim: ref, letter: "a" as const, version: "1.0.1", sha512: "ab".repeat(64) }
    : { claim: ref, letter: "b" as const, evidence: "https://git.example/widget" };
  return { statement: { kind: "proof", ...LOGS, proofs: new Map([[id, proof]]) }, signers: some(random, line, 1) };
}

function release(scene: Scene, id: string, book: Book): Attempt {
  const { random, books, entries } = scene;
  const line = lineOf(random, book);
  const version = `1.0.${chance(random, 50) ? 0 : entries}`;
  const released = {
    packageId: id,
    version,
    sha512: "cd".repeat(64),
    tarSha512: "ef".repeat(64),
    base: null,
    stage: null,
  };
  const statement: Statement = {
    kind: "release",
    ...LOGS,
    releases: new Map([[`${id}@${version}`, released]]),
    source: null,
  };
  const { releaseThreshold, expedite } = line.authority;
  if (expedite !== null && chance(random, 60)) {
    const members = books(expedite).lines[0];
    const helping = members ? some(random, members, members.authority.releaseThreshold) : [];
    return { statement, signers: unique([...some(random, line, releaseThreshold - 1), ...helping]) };
  }
  return { statement, signers: some(random, line, releaseThreshold - (chance(random, 20) ? 1 : 0)) };
}

function change({ random }: Scene, id: string, book: Book): Attempt {
  const line = lineOf(random, book);
  const authority = random.pick(AUTHORITIES);
  return changeTo(random, id, book, line, authority, null);
}

/** A committee changes its members and keeps what it is for. */
function board(scene: Scene): Attempt {
  const { random, books } = scene;
  const id = chance(random, 50) ? ONE : TWO;
  const book = books(id);
  const line = book.lines[0];
  if (!line) return found(scene, id);
  return changeTo(random, id, book, line, random.pick(BOARDS), DETAILS[0]);
}

function changeTo(
  random: Random,
  id: string,
  book: Book,
  line: LineBook,
  authority: Authority,
  details: (typeof DETAILS)[0] | null,
): Attempt {
  const known = fingerprints(line.authority);
  const added = fingerprints(authority).filter((fingerprint) => !known.includes(fingerprint));
  const { recovery, changeThreshold } = line.authority;
  const voters =
    recovery && chance(random, 40)
      ? pickHolders(random, recovery.keys, line.revoked, recovery.threshold)
      : some(random, line, changeThreshold - (chance(random, 15) ? 1 : 0));
  const previous = chance(random, 4) ? parseHex(line.claim) : lastOf(book);
  const packages = new Map([[id, { previous: previous ?? leafOf(1) }]]);
  return {
    statement: { kind: "change", ...LOGS, packages, authority, details },
    signers: unique([...voters, ...added]),
  };
}

function revoke({ random }: Scene, id: string, book: Book): Attempt {
  const line = lineOf(random, book);
  const keys = fingerprints(line.authority);
  const key = keys[random.below(keys.length)]!;
  const signers = chance(random, 50) ? [key] : some(random, line, line.authority.changeThreshold);
  return { statement: { kind: "revoke", ...LOGS, subjects: [id], keys: [key] }, signers };
}

function veto({ random, entries }: Scene, id: string, book: Book): Attempt {
  const line = lineOf(random, book);
  const { change: changing, recovery, funding } = line.waiting;
  const waiting = [changing, recovery, funding, book.adoption].filter((one) => one !== null).map(({ entry }) => entry);
  const named = waiting[random.below(waiting.length + 1)] ?? book.last;
  const entry = named === null || chance(random, 5) ? leafOf(1 + random.below(entries)) : parseHex(named);
  const keys = fingerprints(line.authority);
  return {
    statement: { kind: "veto", ...LOGS, entries: new Map([[id, entry]]) },
    signers: [keys[random.below(keys.length)]!],
  };
}

function fund({ random }: Scene, id: string, book: Book): Attempt {
  const line = lineOf(random, book);
  const packages = new Map([[id, { previous: lastOf(book) ?? leafOf(1) }]]);
  const address = `https://pay.example/${random.below(2)}`;
  const channels = chance(random, 80) ? [{ type: "open-collective", address }] : [];
  const manifest = chance(random, 20) ? "12".repeat(32) : null;
  return {
    statement: { kind: "funding", ...LOGS, packages, channels, manifest, needs: null },
    signers: some(random, line, line.authority.changeThreshold - (chance(random, 15) ? 1 : 0)),
  };
}

function adopt({ random, books }: Scene, id: string, book: Book): Attempt {
  const authority = random.pick(AUTHORITIES.slice(14, 23) as [Authority, ...Authority[]]);
  const { adoption, successors } = lineOf(random, book).authority;
  const free = adoption === "open" || fingerprints(authority).some((key) => successors.includes(key));
  const committees =
    free !== chance(random, 10) ? [] : chance(random, 85) ? [ONE, TWO] : [COMMITTEES[random.below(3)]!];
  const voters = committees.flatMap((committeeId) => {
    const seat = books(committeeId).lines[0];
    return seat ? fingerprints(seat.authority).filter((key) => !seat.revoked.has(key)) : [];
  });
  const previous = lastOf(book) ?? leafOf(1);
  return {
    statement: { kind: "adopt", ...LOGS, packageId: id, previous, authority, committees },
    signers: unique([...fingerprints(authority), ...voters]),
  };
}

function finish({ random, entries, adoptions }: Scene, id: string): Attempt {
  const adoption = adoptions.findLast((one) => one.id === id);
  const entry = adoption?.entry ?? leafOf(1 + random.below(entries));
  const authority = adoption?.authority ?? random.pick(AUTHORITIES);
  return {
    statement: { kind: "adopt-final", ...LOGS, packageId: id, adoption: entry },
    signers: fingerprints(authority),
  };
}

function hold({ random, books, holds, held }: Scene, id: string, book: Book): Attempt {
  const body = chance(random, 50) ? id : chance(random, 60) ? ONE : TWO;
  const by = (held && holds.at(-1)?.by) || body;
  const line = by === id ? lineOf(random, book) : books(by).lines[0];
  const renewed = chance(random, held ? 75 : 40) ? holds.findLast((one) => one.by === by) : undefined;
  const releases = renewed?.releases ?? [`${id}@1.0.${random.below(2)}`];
  const osv = chance(random, 30) ? "MAL-2026-1" : null;
  const signers = line ? some(random, line, 1 + random.below(2)) : [STRANGER];
  const renews = renewed?.entry ?? null;
  return { statement: { kind: "hold", ...LOGS, by, releases, reason: "odd", osv, renews }, signers };
}

function lift({ random, books, holds, entries }: Scene, id: string): Attempt {
  const last = chance(random, 50) ? holds.at(-1) : holds[random.below(holds.length)];
  const by = last?.by ?? id;
  const line = books(by).lines[0];
  const signers = line ? some(random, line, line.authority.changeThreshold) : [STRANGER];
  return { statement: { kind: "lift", ...LOGS, by, hold: last?.entry ?? leafOf(1 + random.below(entries)) }, signers };
}

function endorse({ random, books }: Scene, id: string, book: Book): Attempt {
  const by = chance(random, 60) ? ONE : COMMITTEES[random.below(3)]!;
  const seat = books(by).lines[0];
  const claims = new Map([[id, { claim: parseHex(lineOf(random, book).claim), confirms: [] }]]);
  const signers = seat ? fingerprints(seat.authority) : [STRANGER];
  return { statement: { kind: "endorse", ...LOGS, by, claims }, signers };
}

function review({ random, books }: Scene, id: string): Attempt {
  const by = COMMITTEES[random.below(3)]!;
  const seat = books(by).lines[0];
  const bytes = {
    sha512: "cd".repeat(64),
    tarSha512: "ef".repeat(64),
    base: null,
    verdict: "good",
    tool: null,
  } as const;
  const reviews = new Map([[`${id}@1.0.0`, { packageId: id, version: "1.0.0", ...bytes }]]);
  const signers = seat ? some(random, seat, seat.authority.releaseThreshold) : [STRANGER];
  return { statement: { kind: "review", ...LOGS, by, replaces: null, reviews }, signers };
}

// One left out, one of somebody else put in, or another one altogether.
function distorted({ random, books }: Scene, signers: string[]): string[] {
  const anybody = PACKAGES.flatMap((id) => books(id).lines).flatMap(({ authority }) => fingerprints(authority));
  const other = anybody[random.below(anybody.length + 1)] ?? STRANGER;
  if (chance(random, 40) && signers.length > 1) return signers.toSpliced(random.below(signers.length), 1);
  return chance(random, 60) ? unique([...signers, other]) : [other];
}

function some(random: Random, { authority, revoked }: LineBook, holders: number): string[] {
  return pickHolders(random, authority.keys, revoked, holders);
}

/** One key each of so many holders, or all that there are, and now and then a second key of the first. */
function pickHolders(
  random: Random,
  keys: readonly HeldKey[],
  revoked: ReadonlySet<string>,
  holders: number,
): string[] {
  const live = chance(random, 95) ? keys.filter(({ fingerprint }) => !revoked.has(fingerprint)) : keys;
  const start = random.below(live.length + 1);
  const turned = [...live.slice(start), ...live.slice(0, start)];
  const picked: HeldKey[] = [];
  for (const key of turned)
    if (picked.length < holders && !picked.some(({ holder }) => holder === key.holder)) picked.push(key);
  const second = turned.find((key) => !picked.includes(key) && key.holder === picked[0]?.holder);
  if (second && chance(random, 30)) picked.push(second);
  const chosen = picked.map(({ fingerprint }) => fingerprint);
  return chosen.length > 0 ? chosen : [STRANGER];
}

function lineOf(random: Random, { lines }: Book): LineBook {
  return lines[random.below(lines.length)]!;
}

function lastOf({ last }: Book): Uint8Array | null {
  return last === null ? null : parseHex(last);
}

function fingerprints(authority: Authority): string[] {
  return everyKey(authority).map(({ fingerprint }) => fingerprint);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

export function chance(random: Random, percent: number): boolean {
  return random.below(100) < percent;
}
