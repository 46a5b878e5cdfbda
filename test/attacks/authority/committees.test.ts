import { encodeRelease } from "@touchmark/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Consumer } from "../../support/consumer.ts";
import { expectAccepted, expectRejected } from "./support/consumers.ts";
import { changeOf, expectAudited, expectRefused, holdOf } from "./support/statements.ts";
import { CARE, hexOf, idOf, openTown, ORIGIN, type Submitted, type Town } from "./support/town.ts";

// What committees may do, and what neither they nor a single maintainer may.

let town: Town;
let committees: object;
const TEAM = "dan eve fay";
const PEERS = "committee:peers";
const STRICT = { packages: { "*": { level: "strict" } } };

beforeAll(async () => {
  town = await openTown();
  const care = await town.founded(CARE, "kim lee alice", 2);
  const peers = await town.founded(PEERS, "alice bob", 2, ["review"]);
  committees = {
    [CARE]: { authority: care, powers: ["expedite", "hold", "review"] },
    [PEERS]: { authority: peers, powers: ["review"] },
  };
  for (const name of ["fresh", "aged", "sore", "plain", "twice", "mask", "join", "again"]) await town.claim(name, TEAM);
  await town.claim("hurry", TEAM, `--threshold 2 --expedite ${CARE}`);
  await town.claim("ale", "alice bob carol");
  await town.turn(8);
});
afterAll(() => town.close());

const following = (rule: object = {}): object => ({
  packages: { "*": { level: "strict", ...rule } },
  policy: { committees },
});

async function admitted(proposal: Promise<Submitted>): Promise<void> {
  const { exit, text } = await proposal;
  expect(exit, text).toBe(0);
}

const hold = (release: string, signers: string, more = "", reason = "reads ssh keys"): Promise<Submitted> =>
  town.propose(`committee hold ${CARE} ${release} --reason "${reason}"${more}`, signers);

test("[Authority 21] a committee's hold of a fresh version ends by itself", async () => {
  const { packed } = await town.release("fresh", "1.0.0", "dan eve");
  await town.turn(3);
  expectRefused(await hold("fresh@1.0.0", "kim"), "THRESHOLD A-17", /Signed by 1 of 2 holders \(kim\)/);
  await admitted(hold("fresh@1.0.0", "kim lee"));
  await expectRejected(town.consumer([packed], following()), "HELD", /committee:care.*reads ssh keys/);
  await expectAccepted(town.consumer([packed], STRICT), /fresh@1\.0\.0 +signed by dan, eve/);
  await town.turn(13);
  await expectRejected(town.consumer([packed], following()), "HELD", /committee:care/);
  await town.turn(1);
  await expectAccepted(town.consumer([packed], following()), /fresh@1\.0\.0 +signed by dan, eve/);
  // The same statement would be the same entry: nobody is let think that it holds again.
  const again = await town.touchmark(`committee hold ${CARE} fresh@1.0.0 --reason "reads ssh keys"`);
  expect([again.exit, again.stderr]).toEqual([
    1,
    expect.stringMatching(/^error: .* that hold is over\. \[HELD_BEFORE\]/),
  ]);
  expectRefused(
    await hold("fresh@1.0.0", "kim lee", "", "I mean it"),
    "HELD_BEFORE A-18",
    /was held in this way before/,
  );
});

test("[Authority 22] an old version is held with an OSV id only, and renewals are bounded", async () => {
  const { packed } = await town.release("aged", "1.0.0", "dan eve");
  await town.turn(31);
  const bare = await hold("aged@1.0.0", "kim lee");
  expectRefused(bare, "HOLD_NEEDS_OSV A-18", /aged@1\.0\.0 was not released within 30 days, so a hold needs an id/);
  await expectAccepted(town.consumer([packed], following()), /signed by dan, eve/);
  const osv = " --osv OSV-2026-1";
  await admitted(hold("aged@1.0.0", "kim lee", osv));
  for (const days of [13, 13]) {
    await town.turn(days);
    await admitted(hold("aged@1.0.0", "kim lee", `${osv} --renew`));
  }
  await town.turn(13);
  await expectRejected(town.consumer([packed], following()), "HELD", /OSV-2026-1/);
  expectRefused(await hold("aged@1.0.0", "kim lee", `${osv} --renew`), "RENEWED_OUT A-18", /may be renewed 2 times/);
  await town.turn(3);
  await expectAccepted(town.consumer([packed], following()), /signed by dan, eve/);
});

test("[Authority 23] one maintainer's hold ends after three days", async () => {
  const { packed } = await town.release("sore", "1.0.0", "dan eve");
  const alone = (more = "", reason = "wait"): Promise<Submitted> =>
    town.propose(`hold sore@1.0.0 --reason "${reason}"${more}`, "fay");
  await admitted(alone());
  await expectRejected(town.consumer([packed], STRICT), "HELD", /fay.*wait/);
  await town.turn(2);
  await admitted(alone(" --renew"));
  await town.turn(2);
  await expectRejected(town.consumer([packed], STRICT), "HELD", /fay.*wait/);
  await town.turn(2);
  await expectAccepted(town.consumer([packed], STRICT), /signed by dan, eve/);
  expectRefused(await alone("", "wait more"), "HELD_BEFORE A-18", /was held in this way before/);
  const renewed = holdOf(idOf("sore"), [`${idOf("sore")}@1.0.0`], { renews: await town.last(idOf("sore")) });
  expectRefused(await town.submit(renewed, "fay"), "NOT_PENDING A-18", /has no such hold that lasts/);
});

test("[Authority 24] an expedited release is visible, and off by default, for holders and consumers alike", async () => {
  const off = await town.release("plain", "1.0.0", "dan kim lee");
  expectRefused(off, "WRONG_KEY S-4", /Signed by the wrong key/);
  const { exit, text, packed } = await town.release("hurry", "1.0.0", "dan kim lee");
  expect(exit, text).toBe(0);
  await expectRejected(town.consumer([packed], following()), "EXPEDITED", /committee:care/);
  await expectAccepted(town.consumer([packed], following({ expedited: "allow" })), /committee:care/);
  // Who doesn't recognise the committee sees one signature of two.
  await expectRejected(town.consumer([packed], STRICT), "NOT_SIGNED", /./);
  // To allow it is a weakening, and waits.
  await admitted(town.propose(`authority change plain --expedite ${CARE}`, "dan eve"));
  expect((await town.make("authority show plain")).stdout).toMatch(/waiting +change to sha256:.*in 14 days/);
});

test("[Authority 25] a committee alone never releases", async () => {
  const release = await town.release("hurry", "2.0.0", "kim lee alice");
  expectRefused(release, "THRESHOLD A-14", /Signed by 0 of 1 holders \(nobody\)/);
  await expectRejected(town.consumer([release.packed], following({ expedited: "allow" })), "NOT_SIGNED", /./);
});

test("[Authority 26] one version over two digests is equivocation: denied, both shown", async () => {
  const { packed } = await town.release("twice", "1.0.0", "dan eve");
  const other = town.publish("twice", "1.0.0", { description: "other bytes" });
  const [first, second] = [hexOf(packed.integrity), hexOf(other.integrity)];
  const releases = [{ releaseId: `${idOf("twice")}@1.0.0`, sha512: second, tarSha512: second }];
  const again = await town.submit(encodeRelease({ logs: [ORIGIN], releases }), "dan fay");
  const both = new RegExp(`sha512 ${first.slice(0, 16)}… then, ${second.slice(0, 16)}… now`);
  expectRefused(again, "EQUIVOCATION S-23", both);
  await expectRejected(
    town.consumer([other], STRICT),
    "WRONG_DIGEST",
    new RegExp(`${first.slice(0, 8)}.*${second.slice(0, 8)}|${second.slice(0, 8)}.*${first.slice(0, 8)}`),
  );
  await expectAccepted(town.consumer([packed], STRICT), /twice@1\.0\.0 +signed by dan, eve/);
});

test("[Authority 27] members of a committee who hold the package don't count", async () => {
  const { packed } = await town.release("ale", "1.0.0", "bob carol");
  expectRefused(await hold("ale@1.0.0", "alice kim"), "THRESHOLD A-17", /Signed by 1 of 2 holders \(kim\)/);
  await expectAccepted(town.consumer([packed], following()), /signed by bob, carol/);
  await admitted(hold("ale@1.0.0", "kim lee"));
  await expectRejected(town.consumer([packed], following()), "HELD", /committee:care/);
});

test("holders who call themselves as the committee's members don't escape its holds, before or after", async () => {
  const { packed } = await town.release("mask", "1.0.0", "dan eve");
  await admitted(hold("mask@1.0.0", "kim lee"));
  const masked = await town.authority("dan eve fay kim/9 lee/9", 2, { changeThreshold: 3 });
  await town.say(await changeOf(town, idOf("mask"), masked), "dan eve kim/9 lee/9");
  await expectRejected(town.consumer([packed], following()), "HELD", /committee:care/);
  const second = await town.release("mask", "1.0.1", "dan eve");
  await admitted(hold("mask@1.0.1", "kim lee"));
  await expectRejected(town.consumer([second.packed], following()), "HELD", /committee:care/);
});

test("[Authority 28] an author's own review doesn't satisfy who asks for one", async () => {
  const { packed } = await town.release("ale", "1.1.0", "alice bob");
  const review = (committee: string, signers: string, more = ""): Promise<Submitted> =>
    town.propose(`committee review ${committee} ale-1.1.0.tgz --verdict good${more}`, signers);
  const [byPeers, byCare] = [PEERS, CARE].map((id) => town.consumer([packed], following({ review: [id] }))) as [
    Consumer,
    Consumer,
  ];
  await expectRejected(byPeers, "NOT_REVIEWED", /committee:peers has not reviewed it/);
  expectRefused(await review(PEERS, "alice bob"), "THRESHOLD A-19", /Signed by 0 of 2 holders \(nobody\)/);
  const mixed = await review(CARE, "alice kim");
  expectRefused(mixed, "THRESHOLD A-19", /Signed by 1 of 2 holders \(kim\)/);
  expect(mixed.stderr).toContain("hint: Whom it is about doesn't count (alice): ask another member to sign.");
  await town.founded("committee:cousins", "bob/2 ned", 2, ["review"]);
  const cousins = await review("committee:cousins", "bob/2 ned");
  expectRefused(cousins, "THRESHOLD A-19", /Signed by 1 of 2 holders \(ned\)/);
  await expectRejected(byPeers, "NOT_REVIEWED", /committee:peers has not reviewed it/);
  await expectRejected(byCare, "NOT_REVIEWED", /committee:care has not reviewed it/);
  // The very words that she tried to enter first, by those who may say them.
  await admitted(review(CARE, "kim lee"));
  await expectAccepted(byCare, /ale@1\.1\.0 +signed by alice, bob/);
});

test("a committee takes a word back and says it again; nobody else says it again for them", async () => {
  const { packed } = await town.release("again", "1.0.0", "dan eve");
  const consumer = town.consumer([packed], following({ review: [CARE] }));
  const say = (verdict: string): Promise<Submitted> =>
    town.propose(`committee review ${CARE} again-1.0.0.tgz --verdict ${verdict}`, "kim lee");
  const first = await say("good");
  expect(first.exit, first.text).toBe(0);
  await expectAccepted(consumer, /again@1\.0\.0 +signed by dan, eve/);
  await admitted(say("bad"));
  await expectRejected(consumer, "NOT_REVIEWED", /committee:care calls it bad/);
  const entryOf = (text: string): string | undefined => /entry (\d+) +committee:care/.exec(text)?.[1];
  const replayed = await town.make(`submit ${first.file}`);
  expect([entryOf(replayed.text), entryOf(first.text)]).toEqual([expect.any(String), entryOf(replayed.text)]);
  await expectRejected(consumer, "NOT_REVIEWED", /committee:care calls it bad/);
  await admitted(say("good"));
  await expectAccepted(consumer, /again@1\.0\.0 +signed by dan, eve/);
});

test("a review by a member who has become a holder since satisfies nobody any more", async () => {
  const { packed } = await town.release("join", "1.0.0", "dan eve");
  await admitted(town.propose(`committee review ${CARE} join-1.0.0.tgz --verdict good`, "kim lee"));
  const consumer = town.consumer([packed], following({ review: [CARE] }));
  await expectAccepted(consumer, /join@1\.0\.0 +signed by dan, eve/);
  const joined = await town.authority("dan eve fay kim", 2, { changeThreshold: 3 });
  await town.say(await changeOf(town, idOf("join"), joined), "dan eve kim");
  await expectRejected(
    consumer,
    "NOT_REVIEWED",
    /calls it good by people of whom too many hold the package themselves/,
  );
});

test("an auditor who replays all of that finds nothing wrong", async () => {
  expectAudited(await town.audit());
});
