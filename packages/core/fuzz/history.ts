// One random history, checked after each step against books that were kept without the fold.
import { readdirSync, readFileSync } from "node:fs";
import {
  applyStatement,
  type PackageState,
  settle,
  type Signer,
  type Statement,
  statementChains,
} from "../src/index.ts";
import { createRandom, type Random } from "../../fido/fuzz/random.ts";
import { advance, type Book, DAYS, daysAfter, everyKey, newBook, refOf } from "./book.ts";
import { type Chronicle, essenceOf, leafOf, makeChronicle, type Tried } from "./chronicle.ts";
import { checkWords, holdLimits } from "./committee-words.ts";
import { type Attempt, chance, invent, type Scene } from "./invent.ts";
import { judge, type Judgement } from "./judge.ts";
import { COMMITTEES, PACKAGES, RECOGNISED } from "./people.ts";

export class HistoryFailure extends Error {}

/** What came of many histories, by `kind: admitted` or `kind: CODE`. */
export type Tally = Map<string, number>;

const START = 1_800_000_000;
const SHIFT = 86_400 * 777 + 11;
const SUBJECTS = [...PACKAGES, ...COMMITTEES];

/** Plays the history of this number. Throws a `HistoryFailure` if the fold breaks a promise. */
export function checkHistory(seed: number, index: number, tally: Tally = new Map()): void {
  const random = createRandom(seed, index);
  const told: string[] = [];
  try {
    play(random, tally, told);
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new HistoryFailure(`history ${index} of seed ${seed}:\n${told.join("\n")}\n${why}`, { cause: error });
  }
}

function play(random: Random, tally: Tally, told: string[]): void {
  const log = makeChronicle(RECOGNISED, false);
  // Of the same mind, and at another time: one history in four, for they differ little.
  const others =
    random.below(4) > 0
      ? []
      : [
          { log: makeChronicle(RECOGNISED, true), shift: 0 },
          { log: makeChronicle(RECOGNISED, false, SHIFT), shift: SHIFT },
        ];
  const fewer = makeChronicle(random.pick([new Map(), new Map([...RECOGNISED].slice(0, 1))]), true);
  const books = new Map<string, Book>(SUBJECTS.map((id) => [id, newBook()]));
  const bookOf = (id: string): Book => books.get(id)!;
  /** Of rival lines' statements the books don't say whose they are: they are closed then. */
  const closed = new Set<string>();
  const vetoed = new Set<string>();
  const probes: (() => void)[] = [];
  const free = new Map<string, number>();
  const scene: Scene = { random, books: bookOf, entries: 0, holds: [], held: false, adoptions: [] };
  const limits = holdLimits();
  let time = START;

  const steps = 6 + random.below(18);
  for (let step = 0; step < steps; step++) {
    const soon = scene.held && chance(random, 70); // while it lasts
    if (step < 3) time += random.below(100);
    else time = soon ? time + 200_000 : laterTime(random, time, [...books.values()]);
    for (const [id, book] of books) {
      advance(book, time);
      const seen = log.settled(id, time);
      if (!closed.has(id)) compare(id, seen, book);
      forbidVetoed(seen, vetoed);
      if (chance(random, 10)) probes.push(probeOf(log, id, time, seen));
      if (chance(random, 10)) settleInTwo(random, log, id, time, seen);
    }
    const attempt = invent(scene, step, time);
    const { statement } = attempt;
    const chains = statementChains(statement);
    const before = chains.map((id) => log.state(id));
    const epochs = chains.map((id) => log.settled(id, time).epoch);
    const judged = judgeAll(bookOf, attempt, scene.entries, time);
    const waiting = vetoableOf(bookOf, attempt);
    const tried = log.enter(statement, attempt.signers.map(signed), time);
    told.push(tell(tried));
    count(tally, `${statement.kind}: ${tried.refusal?.code ?? "admitted"}`);
    if (tried.refusal) {
      require(RULES.has(tried.refusal.rule), `the rule ${tried.refusal.rule} is not in the specification`);
      const lawful = judged.every((one) => typeof one !== "string");
      require(!lawful || chains.some((id) => closed.has(id)), `was refused: ${tried.refusal.message}`);
      require(chains.every((id, i) => log.state(id) === before[i]), "what was refused has changed something");
      refuseToo(log, fewer, tried);
      continue;
    }
    const refuses = (one: Judgement, i: number): boolean => one === "no" && !closed.has(chains[i]!);
    require(!judged.some(refuses), "was admitted against the rules");
    if (statement.kind === "adopt-final" && (closed.has(chains[0]!) || bookOf(chains[0]!).adoption))
      noteFree(free, log, before[0]!, statement);
    enterInBooks(bookOf, judged, statement, scene.entries, time, closed);
    waiting.forEach((entry) => vetoed.add(entry));
    if (waiting.length > 0) count(tally, "vetoed");
    checkWords(bookOf, closed, statement, attempt.signers, time, tried.first, limits);
    chains.forEach((id, i) => checkEpoch(statement, epochs[i]!, log.settled(id, time).epoch));
    limits.check(log, time);
    scene.held = statement.kind === "hold" || (scene.held && statement.kind === "lift");
    if (statement.kind === "hold")
      scene.holds.push({ by: statement.by, entry: leafOf(tried.first), releases: statement.releases });
    if (statement.kind === "adopt")
      scene.adoptions.push({ id: statement.packageId, entry: leafOf(tried.first), authority: statement.authority });
    scene.entries += chains.length;

    for (const other of others)
      require(other.log.reread(tried).length === 0, "who reads it again, leniently or at another time, refuses it");
    const refused = fewer.reread(tried);
    require(statement.kind === "release" || refused.length === 0, `is held against the log: ${refused[0]?.message}`);
    for (const id of chains) {
      for (const other of others)
        require(essenceOf(log.settled(id, time)) ===
          essenceOf(
            other.log.settled(id, time),
            other.shift,
          ), "who reads it again, leniently or at another time, sees another state");
      if (fewer.world.recognised.size === 0) {
        const most = 1 + (free.get(id) ?? 0);
        require(fewer.settled(id, time).epoch <= most, "a committee that nobody recognises has moved a package");
      }
    }
  }
  for (const probe of probes) probe();
}

function judgeAll(
  books: (id: string) => Book,
  { statement, signers }: Attempt,
  entries: number,
  time: number,
): Judgement[] {
  return statementChains(statement).map((id, i) => {
    const index = entries + i + 1;
    return judge(books, statement, signers, { id, index, entry: refOf(leafOf(index)), time });
  });
}

function enterInBooks(
  books: (id: string) => Book,
  judged: readonly Judgement[],
  statement: Statement,
  entries: number,
  time: number,
  closed: Set<string>,
): void {
  for (const [i, id] of statementChains(statement).entries()) {
    const book = books(id);
    const index = entries + i + 1;
    const doing = judged[i]!;
    if (closed.has(id) || (doing === "unsure" && (statement.kind === "change" || statement.kind === "funding")))
      closed.add(id);
    else if (typeof doing !== "string") doing.does();
    book.lastAny = { index, time };
    if (statement.kind !== "adopt") book.adoption = null;
    if (statement.kind === "release" || statement.kind === "review") continue;
    book.last = refOf(leafOf(index));
    book.lastTime = time;
    book.proposed = statement.kind === "adopt" && book.adoption ? daysAfter(DAYS.finish, book.adoption.at) : null;
  }
}

// Each boundary is tried a second before, at it, and after; else anything from a minute to a year.
function laterTime(random: Random, time: number, books: readonly Book[]): number {
  const ends = books.flatMap((book) => [
    ...book.lines.flatMap(({ waiting }) => Object.values(waiting).map((one) => one?.at ?? 0)),
    book.adoption?.at ?? 0,
    book.adoption ? daysAfter(DAYS.finish, book.adoption.at) : 0,
    book.epoch === 0 ? daysAfter(DAYS.claim, book.opened) : 0,
    book.lastAny && book.epoch > 0 ? daysAfter(DAYS.dormancy, book.lastAny.time) : 0,
  ]);
  const next = ends.filter((end) => end > time + 1).toSorted((a, b) => a - b);
  if (next.length > 0 && chance(random, 45)) {
    const near = chance(random, 75) ? next[0]! : next[random.below(next.length)]!;
    return near - 1 + random.below(3);
  }
  return time + random.pick([0, 1, 60, 3600, 86_400, 3 * 86_400, 8 * 86_400, 31 * 86_400, 366 * 86_400]);
}

function compare(id: string, seen: PackageState, book: Book): void {
  const mine = book.lines.map(({ authority, revoked, waiting }) => [
    authority.digest,
    [...revoked].toSorted(),
    [waiting.change, waiting.recovery, waiting.funding].map((one) => one && [one.entry, one.at, one.vetoable]),
  ]);
  const theirs = seen.lines.map(({ authority, revoked, change, recovery, pendingFunding }) => [
    authority.digest,
    [...revoked].toSorted(),
    [change, recovery, pendingFunding].map((one) => one && [refOf(one.place.leafHash), one.effectiveAt, one.vetoable]),
  ]);
  const [a, b] = [JSON.stringify([seen.epoch, theirs]), JSON.stringify([book.epoch, mine])];
  require(a === b, `${id} is\n${a}\nand by the books\n${b}`);
  const adoption = seen.adoption && seen.adoption.place.index === book.lastAny?.index ? seen.adoption : null;
  const adopted = adoption && [refOf(adoption.place.leafHash), adoption.effectiveAt];
  const byBook = book.adoption && [book.adoption.entry, book.adoption.at];
  require(JSON.stringify(adopted) === JSON.stringify(byBook), `${id}: an adoption is not as in the books`);
}

// What a good veto named waits in vain.
function forbidVetoed(seen: PackageState, vetoed: ReadonlySet<string>): void {
  for (const { steps } of seen.lines)
    for (const { place } of steps) require(!vetoed.has(refOf(place.leafHash)), "what was vetoed has taken effect");
}

// What waits in a rival's line only its own people can stop: of others the veto is a sign of life.
function vetoableOf(books: (id: string) => Book, { statement, signers }: Attempt): string[] {
  if (statement.kind !== "veto") return [];
  return [...statement.entries].flatMap(([id, named]) => {
    const entry = refOf(named);
    const lines = books(id).lines.filter(({ authority }) =>
      everyKey(authority).some(({ fingerprint }) => signers.includes(fingerprint)),
    );
    const waiting = lines.flatMap((line) => Object.values(line.waiting));
    return waiting.some((one) => one?.vetoable && one.entry === entry) ? [entry] : [];
  });
}

// Whoever asks later for the state at that time gets what was seen then.
function probeOf(log: Chronicle, id: string, time: number, seen: PackageState): () => void {
  const state = log.state(id);
  const essence = essenceOf(seen);
  return () => {
    const now = essenceOf(settle(state, id, time, log.world));
    require(now === essence, `${id}: what was so at ${time} is another now:\n${now}\nthen:\n${essence}`);
  };
}

function settleInTwo(random: Random, log: Chronicle, id: string, time: number, seen: PackageState): void {
  const state = log.state(id);
  const from = state.last?.time ?? START;
  const between = from + random.below(Math.max(1, time - from));
  const twice = settle(settle(state, id, between, log.world), id, time, log.world);
  require(essenceOf(twice) === essenceOf(seen), `${id}: a look in between, at ${between}, changes what comes`);
}

// Who recognises fewer committees accepts nothing that the log refuses, as long as they see the same.
// Holds, endorsements and reviews stand in a committee's own chain, and count where they are used.
function refuseToo(log: Chronicle, fewer: Chronicle, { statement, signers, time }: Tried): void {
  if (statement.kind === "hold" || statement.kind === "endorse" || statement.kind === "review") return;
  const accepted = statementChains(statement).every((id) => {
    if (essenceOf(log.settled(id, time)) !== essenceOf(fewer.settled(id, time))) return false;
    const place = { index: 999_999, time, leafHash: leafOf(0), before: fewer.state(id).last };
    try {
      return (
        applyStatement(fewer.state(id), id, { statement, digest: "", signers }, place, fewer.world).divergedAt === null
      );
    } catch {
      return false;
    }
  });
  require(!accepted ||
    statement.kind === "adopt" ||
    statement.kind === "adopt-final", "a reader accepts what the log refuses");
}

function noteFree(
  free: Map<string, number>,
  log: Chronicle,
  before: PackageState,
  { packageId }: { packageId: string },
): void {
  if (before.adoption?.window === "succession") free.set(packageId, (free.get(packageId) ?? 0) + 1);
  require(log.state(packageId) !== before, "an adoption was finished and nothing has changed");
}

function checkEpoch({ kind }: Statement, before: number, after: number): void {
  const most = kind === "adopt-final" ? before + 1 : Math.max(before, 1);
  require(after >= before && after <= most, `the epoch went from ${before} to ${after} by a ${kind}`);
}

function signed(fingerprint: string): Signer {
  return { fingerprint, flags: 0x05 };
}

function count(tally: Tally, name: string): void {
  tally.set(name, (tally.get(name) ?? 0) + 1);
}

function tell({ statement, signers, time, first, refusal }: Tried): string {
  const text = JSON.stringify(statement, (name, value: unknown) => {
    if (value instanceof Map) return Object.fromEntries(value);
    if (value instanceof Uint8Array) return refOf(value).slice(0, 8);
    if (name === "authority") return (value as { digest: string }).digest;
    return value;
  });
  const names = signers.map(({ fingerprint }) => fingerprint.slice(7, 13)).join(" ");
  return `${(time - START) / 86_400} ${refusal ? refusal.code : `entry ${first}`}: ${text} by ${names}`;
}

function require(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

const SPEC = new URL("../../../docs/spec/", import.meta.url);
const RULES: ReadonlySet<string> = new Set(
  readdirSync(SPEC).flatMap((name) =>
    [...readFileSync(new URL(name, SPEC), "utf8").matchAll(/\*\*\[([A-Z]-\d+)\]\*\*/g)].map((match) => match[1]!),
  ),
);
