import { afterAll, beforeAll, expect, test } from "vitest";
import type { Consumer } from "../../support/consumer.ts";
import { expectAccepted, expectRejected } from "./support/consumers.ts";
import { adoptOf, changeOf, expectAudited, expectRefused, finishOf, vetoOf } from "./support/statements.ts";
import { CARE, idOf, JS, openTown, ORIGIN, type Submitted, type Town } from "./support/town.ts";

// Orphans, people who would like to have them, and people who are not gone.

let town: Town;
let recognising: object;
/** Somebody who has installed taken@1.0.0 while its first holders were there. */
let old: Consumer;
const OWNERS = "alice bob carol";
const SEATS = "kim lee ned ola";
const COMMITTEES = `--committee ${CARE} --committee ${JS}`;
const STRICT = { packages: { "*": { level: "strict" } } };
let candidate: string;

beforeAll(async () => {
  town = await openTown();
  candidate = await town.cards("erin");
  const care = await town.founded(CARE, "kim lee max", 2);
  const js = await town.founded(JS, "ned ola pia", 2);
  const powers = ["adopt"];
  recognising = { committees: { [CARE]: { authority: care, powers }, [JS]: { authority: js, powers } } };
  for (const name of ["live", "lonely", "vetoed", "beating", "releasing", "hasty", "taken", "prey"])
    await town.claim(name, OWNERS);
  await town.claim("shut", OWNERS, "--threshold 2 --adoption never");
  const successor = `--threshold 2 --successor ${await town.fingerprint("erin")}`;
  for (const name of ["heir", "sold"]) await town.claim(name, OWNERS, successor);
  await town.turn(8);
  const { packed } = await town.release("taken", "1.0.0", "alice bob");
  old = town.consumer([packed], { ...STRICT, policy: recognising });
  const installed = await old.touchmark("npm ci");
  expect(installed.exit, installed.text).toBe(0);
  await town.turn(300);
  await town.release("live", "1.0.0", "alice bob");
  await town.turn(66);
});
afterAll(() => town.close());

const propose = (name: string, committees = COMMITTEES, signers = `erin ${SEATS}`): Promise<Submitted> =>
  town.propose(`adopt propose ${name} ${candidate} --threshold 1 ${committees}`, signers);

async function admitted(proposal: Promise<Submitted>): Promise<void> {
  const { exit, text } = await proposal;
  expect(exit, text).toBe(0);
}

test("[Authority 12] a package that is alive is not adopted", async () => {
  expectRefused(await propose("live"), "NOT_DORMANT A-21", /not dormant: its last entry is younger than 365 days/);
});

test("[Authority 13] one committee is not enough, nor are two of the same people", async () => {
  const one = await propose("lonely", `--committee ${CARE}`, "erin kim lee");
  expectRefused(one, "ADOPTION_REFUSED A-21", /An adoption needs two committees; this one names 1/);
  const none = await propose("lonely", "", "erin");
  expectRefused(none, "ADOPTION_REFUSED A-21", /An adoption needs two committees; this one names 0/);
  const half = await propose("lonely", COMMITTEES, "erin kim lee ned");
  expectRefused(half, "THRESHOLD A-17", /Signed by 1 of 2 holders \(ned\)/);
});

test("[Authority 14] colluding committees: one old key vetoes, then a year's cool-down", async () => {
  await admitted(propose("vetoed"));
  await town.turn(60);
  const veto = await town.touchmark("veto vetoed --holder carol --yes");
  expect([veto.exit, veto.text]).toEqual([0, expect.stringMatching(/This stops: adoption to sha256:/)]);
  const adoption = await town.last(idOf("vetoed"));
  await town.turn(31);
  const finish = await town.touchmark("adopt finish vetoed --holder erin --yes --submit");
  expect([finish.exit, finish.text]).toEqual([
    1,
    expect.stringMatching(/^error: No adoption of npm:npmjs\/vetoed waits/),
  ]);
  const stubborn = await town.submit(finishOf("vetoed", adoption), "erin");
  expectRefused(stubborn, "NOT_PENDING A-23", /No such adoption of npm:npmjs\/vetoed waits to be finished/);
  await town.turn(333);
  expectRefused(await propose("vetoed"), "NOT_DORMANT A-21", /not dormant/);
  await town.turn(1);
  await admitted(propose("vetoed"));
});

test("[Authority 15] an owner's heartbeat or release ends an adoption", async () => {
  for (const name of ["beating", "releasing"]) await admitted(propose(name));
  const adoption = await town.last(idOf("releasing"));
  const shown = async (command: string): Promise<string> => (await town.make(command)).stdout;
  expect(await shown("adopt status releasing")).toMatch(/waiting +adoption to sha256:/);
  const beat = await town.touchmark("authority heartbeat beating --holder carol --yes");
  expect(beat.exit, beat.text).toBe(0);
  const release = await town.release("releasing", "1.0.0", "alice bob");
  expect(release.exit, release.text).toBe(0);
  // Who sees authority entries alone learns of a release too: nothing waits that could not be finished.
  for (const command of ["adopt status", "authority show", "status"])
    expect(await shown(`${command} releasing`)).not.toMatch(/waiting/);
  expect(await shown("adopt status releasing")).toMatch(
    /the last +entry \d+: ended by a release, which is a sign of life, entry \d+/,
  );
  expect(await shown("adopt status beating")).toMatch(/the last +entry \d+: vetoed, entry \d+/);
  const consumer = town.consumer([release.packed], { ...STRICT, policy: recognising });
  const explained = await consumer.touchmark("explain releasing@1.0.0 --online");
  expect([explained.exit, explained.stdout]).toEqual([0, expect.not.stringMatching(/adoption, entry/)]);
  await town.turn(91);
  for (const name of ["beating", "releasing"]) {
    const finish = await town.touchmark(`adopt finish ${name} --holder erin --yes --submit`);
    const nothing = expect.stringMatching(new RegExp(`^error: No adoption of npm:npmjs/${name} waits`));
    expect([finish.exit, finish.text]).toEqual([1, nothing]);
  }
  const stubborn = await town.submit(finishOf("releasing", adoption), "erin");
  expectRefused(stubborn, "SIGN_OF_LIFE A-22", /showed a sign of life after the adoption was proposed, in entry \d+/);
  await expectAccepted(consumer, /signed by alice, bob/);
});

test("[Authority 16] an adoption can't be finished before its window ends, nor long after", async () => {
  await admitted(propose("hasty"));
  const adoption = await town.last(idOf("hasty"));
  await town.turn(89);
  const early = await town.submit(finishOf("hasty", adoption), "erin");
  expectRefused(early, "TOO_EARLY A-23", /The adoption of npm:npmjs\/hasty may be finished in 1 day\./);
  const release = await town.release("hasty", "6.6.6", "erin");
  expectRefused(release, "WRONG_KEY S-4", /Signed by the wrong key/);
  await town.turn(31);
  const late = await town.submit(finishOf("hasty", adoption), "erin");
  expectRefused(late, "NOT_PENDING A-23", /No such adoption/);
  expect((await town.make("adopt status hasty")).stdout).toMatch(
    /the last +entry \d+: lapsed: nobody finished it in time/,
  );
});

test("[Authority 17] a finished adoption stops whoever has pinned the old epoch", async () => {
  await admitted(propose("taken"));
  await town.turn(90);
  const finish = await town.touchmark("adopt finish taken --holder erin --yes --submit");
  expect(finish.exit, finish.text).toBe(0);
  const words =
    /The authority changed hands: .* erin adopted it with committee:care and committee:js, in entry \d+ of 20\S+: epoch 2 began, and alice, bob, carol can release nothing any more/;
  await expectRejected(old, "AUTHORITY_CHANGED", words);
  const install = await old.touchmark("npm ci");
  expect([install.exit, install.text]).toEqual([1, expect.stringMatching(/^touchmark did not start npm:/)]);
  expect(install.text).toMatch(words);
  expect(install.text).toContain("If that is right: touchmark accept taken");
  const accept = await old.touchmark("accept taken --yes");
  expect(accept.exit, accept.text).toBe(0);
  await expectAccepted(old, /taken@1\.0\.0 +signed by alice, bob/);
  const release = await town.release("taken", "2.0.0", "erin");
  const fresh = town.consumer([release.packed], { ...STRICT, policy: recognising });
  await expectAccepted(fresh, /taken@2\.0\.0 +signed by erin/);
  await expectRejected(town.consumer([release.packed], STRICT), "NOT_SIGNED", /./);
});

test("[Authority 18] old keys are void after a transfer", async () => {
  await admitted(propose("sold", "", "erin"));
  await town.turn(21);
  await town.make("adopt finish sold --holder erin --yes --submit");
  const release = await town.release("sold", "1.0.0", "alice bob");
  expectRefused(release, "WRONG_KEY S-4", /Signed by the wrong key/);
  await expectRejected(town.consumer([release.packed], { ...STRICT, policy: recognising }), "NOT_SIGNED", /./);
  const id = idOf("sold");
  const veto = await town.submit(vetoOf(id, await town.last(id)), "alice");
  expectRefused(veto, "WRONG_KEY S-4", /Signed by the wrong key/);
  const change = await changeOf(town, id, await town.authority(OWNERS, 2));
  expectRefused(await town.submit(change, OWNERS), "THRESHOLD A-8", /./);
});

test("[Authority 19] the mode never is honoured", async () => {
  expectRefused(await propose("shut"), "ADOPTION_REFUSED A-21", /have ruled out that anybody adopts it/);
});

test("[Authority 20] a named successor needs no committee, and twenty-one days", async () => {
  const stranger = await town.submit(await adoptOf(town, "heir", await town.authority("mallory", 1), []), "mallory");
  expectRefused(stranger, "ADOPTION_REFUSED A-21", /needs two committees/);
  await admitted(propose("heir", "", "erin"));
  await town.turn(20);
  const early = await town.touchmark("adopt finish heir --holder erin --yes --submit");
  expect([early.exit, early.text]).toEqual([1, expect.stringMatching(/\[TOO_EARLY\]/)]);
  await town.turn(1);
  await town.make("adopt finish heir --holder erin --yes --submit");
  expect((await town.make("authority show heir")).stdout).toMatch(/epoch +2/);
  const { packed } = await town.release("heir", "1.0.0", "erin");
  await expectAccepted(town.consumer([packed], STRICT), /heir@1\.0\.0 +signed by erin/);
});

test("[Authority 30] two committees that the adopter has founded himself adopt nothing for who recognises neither", async () => {
  const socks = "committee:sock-one committee:sock-two".split(" ");
  await town.founded(socks[0]!, "puppet", 1);
  await town.founded(socks[1]!, "marionette", 1);
  const adopt = async (): Promise<Submitted> =>
    town.submit(await adoptOf(town, "prey", await town.authority("mallory", 1), socks), "mallory puppet marionette");
  expectRefused(
    await adopt(),
    "NOT_RECOGNISED A-16",
    /committee:sock-one is not recognised here for the power to adopt/,
  );
  // An operator who takes them into his charter lets the adoption in. It is good for nobody but those who follow them.
  const charter = `authority change log:${ORIGIN} --committee ${CARE} --committee ${JS} --committee ${socks.join(" --committee ")}`;
  await admitted(town.propose(charter, "op"));
  await town.turn(7); // the window of a single holder
  await admitted(adopt());
  await town.turn(90);
  await town.make("adopt finish prey --holder mallory --yes --submit");
  const { packed, exit } = await town.release("prey", "6.6.6", "mallory");
  expect(exit).toBe(0);
  for (const policy of [{}, recognising])
    await expectRejected(town.consumer([packed], { ...STRICT, policy }), "NOT_SIGNED", /./);
  // The old authority stands.
  const explained = await town.consumer([packed], STRICT).touchmark("explain prey --online");
  expect(explained.stdout).toMatch(/alice +SHA256:/);
  expect(explained.stdout).not.toMatch(/mallory +SHA256:/);
});

test("an auditor who replays all of that finds nothing wrong", async () => {
  expectAudited(await town.audit());
});
