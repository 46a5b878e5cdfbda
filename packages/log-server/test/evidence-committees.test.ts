import { encodeClaim, encodeEnvelope, encodeReview, type ReviewedVersion } from "@touchmark/core";
import {
  type Evidence,
  fetchEvidence,
  leafHash,
  LogError,
  nodeCrypto,
  parseEntry,
  parseEvidence,
} from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signedBy } from "../../verify/test/support/people.ts";
import { runLog, type RunningLog } from "./support/log.ts";
import { claim, type Earlier, earlierRoot, ORIGIN, type Person, person, sha512Hex } from "./support/statements.ts";

const [alice, bob, olaf] = [person("alice"), person("bob"), person("olaf")];
const [WIDGET, ONE, TWO] = ["npm:npmjs/widget", "committee:one", "committee:two"];
const RELEASE = `${WIDGET}@1.0.0`;
let running: RunningLog;

beforeEach(async () => {
  running = await runLog({ proofs: async () => ({ kind: "good" }) });
  for (const id of [ONE, TWO]) {
    const committee = { kind: "committee" as const, scope: ["*"], powers: ["review" as const], termDays: 100 };
    const packages = new Map([[id, { previous: null, earlier: earlierRoot([]) }]]);
    await submit(encodeClaim(nodeCrypto, { logs: [ORIGIN], packages, authority: of([olaf]), details: committee }), [
      olaf,
    ]);
  }
});
afterEach(() => running.end());

const of = (people: Person[]) => ({
  keys: people.map(({ holder, key }) => ({ holder, record: key.record })),
  releaseThreshold: 1,
});

/** Gives the index of the statement's first entry. */
async function submit(payload: Uint8Array, people: Person[], earlier?: Record<string, Earlier>): Promise<number> {
  const envelope = encodeEnvelope(
    signedBy(
      payload,
      people.map(({ key }) => key),
    ),
  );
  const { entries } = await running.submit(envelope, earlier);
  return Math.min(...entries.values());
}

function review(by: string, releaseIds: string[], verdict: ReviewedVersion["verdict"] = "good"): Promise<number> {
  const found = { sha512: sha512Hex("tgz"), tarSha512: sha512Hex("tar"), base: null, verdict, tool: null };
  const reviews = new Map(releaseIds.map((id) => [id, found]));
  return submit(encodeReview({ logs: [ORIGIN], by, replaces: null, reviews }), [olaf]);
}

const ask = async (packages: Record<string, readonly string[]>): Promise<Evidence> =>
  parseEvidence(await fetchEvidence(running.log, packages));

/** The reviews in a bundle, by their index. */
function reviewsIn({ entries }: Evidence): number[] {
  return [...entries].filter(([, bytes]) => parseEntry(bytes).kind === "review").map(([index]) => index);
}

describe("[E-20] a committee's reviews", () => {
  test("the newest of each version that was asked for, by this committee alone", async () => {
    await review(ONE, [RELEASE]);
    const other = await review(TWO, [RELEASE], "bad");
    const newest = await review(ONE, [RELEASE, `${WIDGET}@1.1.0`], "unclear");
    const later = await review(ONE, [`${WIDGET}@1.1.0`]);
    expect(reviewsIn(await ask({ [ONE]: [] }))).toEqual([]);
    expect(reviewsIn(await ask({ [ONE]: [RELEASE, `${WIDGET}@9.9.9`] }))).toEqual([newest]);
    expect(reviewsIn(await ask({ [ONE]: [RELEASE, `${WIDGET}@1.1.0`], [TWO]: [RELEASE] }))).toEqual(
      [other, newest, later].toSorted((a, b) => a - b),
    );
    expect(reviewsIn(await ask({ [WIDGET]: ["1.0.0"] }))).toEqual([]);
  });

  test("are found again after a restart", async () => {
    const index = await review(ONE, [RELEASE]);
    running = await running.restart();
    const bundle = await ask({ [ONE]: [RELEASE] });
    expect(reviewsIn(bundle)).toEqual([index]);
    expect(bundle.envelopes.size).toBe(2);
  });

  test("what is asked of a committee is release ids", async () => {
    for (const wrong of [{ [ONE]: ["1.0.0"] }, { [WIDGET]: [RELEASE] }]) {
      const failure = await ask(wrong).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(LogError);
      expect((failure as LogError).refusal?.status).toBe(400);
    }
  });
});

describe("[E-5] rival claims", () => {
  test("each list of earlier versions is there, under its root", async () => {
    const mine: Earlier = [
      ["0.1.0", sha512Hex("mine")],
      ["0.2.0", sha512Hex("mine too")],
    ];
    const theirs: Earlier = [["0.1.0", sha512Hex("theirs")]];
    await running.submit(claim({ [WIDGET]: mine }, [alice]), { [WIDGET]: mine });
    const { entries } = await ask({ [WIDGET]: [] });
    const proof = { version: "1.0.1", sha512: sha512Hex("1.0.1") };
    const packages = new Map([
      [WIDGET, { previous: leafHash([...entries.values()][0]!), earlier: earlierRoot(theirs), proof }],
    ]);
    await submit(encodeClaim(nodeCrypto, { logs: [ORIGIN], packages, authority: of([bob]) }), [bob], {
      [WIDGET]: theirs,
    });
    const { earlier } = await ask({ [WIDGET]: ["0.1.0", "1.0.0"] });
    const lists = [...earlier.get(WIDGET)!].map(([root, { versions }]) => [root, [...versions.values()]]);
    const root = (list: Earlier): string => Buffer.from(earlierRoot(list).root).toString("hex");
    expect(new Map(lists as [string, unknown][])).toEqual(
      new Map([
        [root(mine), mine.slice(0, 1)],
        [root(theirs), theirs],
      ]),
    );
    const second = await ask({ [WIDGET]: ["0.2.0"] });
    expect([...second.earlier.get(WIDGET)!.keys()]).toEqual([root(mine)]);
  });
});
