import { encodeClaim, encodeFunding, encodeRelease, encodeVeto, NO_EARLIER } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CARE, digestOf, hexOf, idOf, openTown, ORIGIN, type Town } from "./support/town.ts";
import {
  changeOf,
  expectAudited,
  expectRefused,
  holdOf,
  proofOf,
  revokeOf,
  rivalOf,
  vetoOf,
} from "./support/statements.ts";
import { expectAccepted, expectRejected } from "./support/consumers.ts";

// Who speaks for a package at first, and what becomes of those who only say that they do.

let town: Town;
const TEAM = "alice alice/2 bob carol";
const STRICT = { packages: { "*": { level: "strict" } } };

beforeAll(async () => {
  town = await openTown();
  await town.claim("widget", TEAM);
  await town.turn(8);
});
afterAll(() => town.close());

test("[Authority 1] two of three release", async () => {
  const { exit, text, packed } = await town.release("widget", "1.0.0", "alice carol");
  expect(exit, text).toBe(0);
  await expectAccepted(town.consumer([packed], STRICT), /widget@1\.0\.0 +signed by alice, carol\n/);
});

test("[Authority 2] two keys of one holder are one vote", async () => {
  const release = await town.release("widget", "1.0.1", "alice alice/2");
  expectRefused(
    release,
    "THRESHOLD S-22",
    /Signed by 1 of 2 holders \(alice\)\. Several keys of one holder are one vote\./,
  );
  await expectRejected(town.consumer([release.packed]), "NOT_SIGNED", /Not signed yet/);
});

test("[Authority 3] who has stolen the account, and no key, can't release, change or claim", async () => {
  await expectRejected(town.consumer([town.publish("widget", "6.6.6")]), "NOT_SIGNED", /Not signed yet/);
  const mallory = await town.authority("mallory", 1);
  const change = await town.submit(await changeOf(town, idOf("widget"), mallory), "mallory");
  expectRefused(change, "THRESHOLD A-8", /Signed by 0 of 2 holders \(nobody\)/);
  // The account can publish a version that carries the thief's own digest.
  const authority = digestOf(await rivalOf(town, "widget", mallory, null));
  const proof = town.publish("widget", "6.6.7", { touchmark: { authority } });
  const rival = await town.submit(await rivalOf(town, "widget", mallory, proof), "mallory");
  expectRefused(rival, "ALREADY_CLAIMED S-21", /npm:npmjs\/widget is claimed already/);
  const release = await town.release("widget", "6.6.8", "mallory");
  expectRefused(release, "WRONG_KEY S-4", /Signed by the wrong key: SHA256:\S+ is not of this package's authority/);
  await expectRejected(town.consumer([release.packed]), "NOT_SIGNED", /Not signed yet/);
});

test("[Authority 4] a thief claims first, the owner within seven days: contested, and nobody gains trust", async () => {
  const thief = await town.claim("pewter", "mallory", "--threshold 1");
  await town.turn(6);
  const team = `${await town.cards("alice bob")} --threshold 2`;
  const bare = await town.propose(`claim pewter ${team} --no-earlier`, "alice bob");
  expectRefused(bare, "PROOF_NEEDED A-3", /a rival claim comes with a proof/);
  const owner = await town.rival("pewter", "alice bob", "--threshold 2", "0.0.2");
  for (const days of [5, 3, 300]) {
    await town.turn(days);
    const bad = await town.release("pewter", `6.${days}.0`, "mallory");
    const good = await town.release("pewter", `1.${days}.0`, "alice bob");
    for (const { exit, text, packed } of [bad, good]) {
      // The log takes both in: each is good for whoever has pinned its authority.
      expect(exit, text).toBe(0);
      const consumer = town.consumer([packed]);
      await expectAccepted(
        consumer,
        new RegExp(`There are 2 claims, by ${short(thief)} and ${short(owner)}: .*, none counts yet`),
      );
      consumer.setPolicy(STRICT);
      await expectRejected(consumer, "NOT_CLAIMED", days === 5 ? /pending/ : /contested/);
      consumer.setPolicy({ packages: { pewter: { authority: packed === bad.packed ? owner : thief } } });
      await expectRejected(consumer, "NOT_SIGNED", /Not signed yet/);
    }
  }
});

test("[Authority 4] eight claims by who has the account for a day don't keep the owner out, nor what was claimed before", async () => {
  const first = await town.claim("brass", "dora", "--threshold 1");
  const thieves = Array.from({ length: 8 }, (_, i) => `thief${i + 1}`);
  for (const [i, name] of thieves.slice(0, 7).entries()) await town.rival("brass", name, "--threshold 1", `6.6.${i}`);
  const eighth = await town.authority("thief8", 1);
  const late = town.publish("brass", "6.6.7", {
    touchmark: { authority: digestOf(await rivalOf(town, "brass", eighth, null)) },
  });
  const full = await town.submit(await rivalOf(town, "brass", eighth, late), "thief8");
  expectRefused(full, "TOO_MANY_CLAIMS A-3", /npm:npmjs\/brass has 8 claims already, and they are not settled yet/);
  await town.turn(7);
  // She has her account back, and publishes; the thief has it no more.
  const owner = await town.rival("brass", "alice bob", "--threshold 2", "1.0.0");
  const pinned = (digest: string): object => ({ packages: { brass: { level: "strict", authority: digest } } });
  const good = await town.release("brass", "1.0.1", "alice bob");
  await expectAccepted(town.consumer([good.packed], pinned(owner)), /brass@1\.0\.1 +signed by alice, bob/);
  await expectRejected(town.consumer([good.packed], STRICT), "NOT_CLAIMED", /pending/);
  const older = await town.release("brass", "1.0.2", "dora");
  await expectAccepted(town.consumer([older.packed], pinned(first)), /brass@1\.0\.2 +signed by dora/);
});

test("[Authority 4] a contested claim is settled by a committee, for those who recognise it and nobody else", async () => {
  await town.claim("tin", "alice bob");
  await town.rival("tin", "mallory", "--threshold 1", "0.0.2");
  await town.turn(8);
  const authority = await town.founded(CARE, "kim lee", 2);
  const { subjects } = JSON.parse((await town.make("authority show tin --json")).stdout) as {
    subjects: { lines: { claim: { entry: number } }[] }[];
  };
  const [owners] = subjects[0]!.lines;
  const word = await town.propose(`committee endorse ${CARE} tin --claim ${owners!.claim.entry}`, "kim lee");
  expect(word.exit, word.text).toBe(0);
  await town.turn(6);
  const early = await town.release("tin", "1.0.0", "alice bob");
  const following = { ...STRICT, policy: { committees: { [CARE]: { authority, powers: ["endorse"] } } } };
  await expectRejected(town.consumer([early.packed], following), "NOT_CLAIMED", /contested/);
  await town.turn(1);
  expectRefused(await town.release("tin", "6.6.6", "mallory"), "WRONG_KEY S-4", /Signed by the wrong key/);
  const good = await town.release("tin", "1.0.1", "alice bob");
  await expectAccepted(town.consumer([good.packed], following), /tin@1\.0\.1 +signed by alice, bob/);
  await expectRejected(town.consumer([good.packed], STRICT), "NOT_CLAIMED", /contested/);
});

test("[Authority 7] a key that doesn't sign is not taken in", async () => {
  const wider = await town.authority(`${TEAM} dave`, 2);
  const change = await changeOf(town, idOf("widget"), wider);
  const outcome = await town.submit(change, "alice bob");
  expectRefused(outcome, "MISSING_POSSESSION A-8", /not signed by every key that it adds: dave \(SHA256:/);
  await town.say(change, "alice bob dave");
});

test("[Authority 8] of two changes with one previous entry the second is void", async () => {
  const [with4, with5] = [await town.authority(TEAM, 2), await town.authority(`${TEAM} dave erin`, 2)];
  const first = await changeOf(town, idOf("widget"), with5);
  const second = await changeOf(town, idOf("widget"), with4);
  await town.say(first, "alice bob carol erin");
  const outcome = await town.submit(second, "alice bob dave");
  expectRefused(outcome, "WRONG_PREVIOUS A-8", /does not follow the last entry of npm:npmjs\/widget/);
  const explained = await town.consumer([]).touchmark("explain widget --online");
  expect(explained.stdout).toMatch(/erin +SHA256:/);
});

test("[Authority 31] a stranger can't make a package's chain grow", async () => {
  const id = idOf("widget");
  const before = await town.last(id);
  const packages = new Map([[id, { previous: before }]]);
  const wrongKey = /Signed by the wrong key/;
  const said: [Uint8Array, string, RegExp][] = [
    [vetoOf(id, before), "WRONG_KEY S-4", wrongKey],
    [holdOf(id, [`${id}@1.0.0`]), "WRONG_KEY S-4", wrongKey],
    [await revokeOf(town, id, "alice"), "WRONG_KEY S-4", wrongKey],
    [await revokeOf(town, id, "mallory"), "WRONG_KEY A-12", /is no key of npm:npmjs\/widget/],
    [
      encodeFunding(nodeCrypto, { logs: [ORIGIN], packages, channels: [], manifest: null, needs: null }),
      "WRONG_KEY S-4",
      wrongKey,
    ],
    [
      proofOf("widget", before, town.publish("widget", "7.0.0")),
      "NOT_PENDING A-6",
      /No such claim .* waits for a proof/,
    ],
  ];
  for (const [payload, refusal, sentence] of said)
    expectRefused(await town.submit(payload, "mallory"), refusal, sentence);
  // He founds a committee and holds the version, in the committee's own chain: nobody asked for it.
  const { packed } = await town.release("widget", "1.1.0", "alice bob");
  await town.founded("committee:mallory", "mallory", 1);
  await town.say(holdOf("committee:mallory", [`${id}@1.1.0`]), "mallory");
  expect(await town.last(id)).toEqual(before);
  await expectAccepted(town.consumer([packed], STRICT), /signed by alice, bob/);
});

test("[Authority 32] a claim without proof lapses when its window ends", async () => {
  const claimed = await town.propose(
    `claim lonely ${await town.cards("mallory")} --threshold 1 --no-earlier`,
    "mallory",
  );
  expect(claimed.exit, claimed.text).toBe(0);
  await town.turn(8);
  const { exit, text, packed } = await town.release("lonely", "1.0.0", "mallory");
  expect(exit, text).toBe(0);
  const consumer = town.consumer([packed]);
  await expectAccepted(consumer, /its claim does not count/);
  consumer.setPolicy(STRICT);
  await expectRejected(consumer, "NOT_CLAIMED", /unproven/);
  // A proof is looked up: a version that was published without the digest is none, and neither is one that isn't there.
  const claim = await town.last(idOf("lonely"));
  const outcome = await town.submit(proofOf("lonely", claim, packed), "mallory");
  expectRefused(outcome, "PROOF_WRONG A-5", /The package\.json of lonely@1\.0\.0 does not name the authority sha256:/);
  // Who has the account has the last word, whoever came first.
  await town.rival("lonely", "alice bob", "--threshold 2", "1.0.1");
  await town.turn(8);
  expectRefused(await town.release("lonely", "6.6.6", "mallory"), "WRONG_KEY S-4", /Signed by the wrong key/);
  const good = await town.release("lonely", "1.0.2", "alice bob");
  await expectAccepted(town.consumer([good.packed], STRICT), /signed by alice, bob/);
});

test("[Authority 33] a pinned authority is accepted while it is pending; a rival's is not", async () => {
  const pinned = await town.claim("young", "alice bob");
  await town.rival("young", "mallory", "--threshold 1", "0.0.2");
  const good = await town.release("young", "1.0.0", "alice bob");
  const bad = await town.release("young", "1.0.1", "mallory");
  const policy = { packages: { young: { level: "strict", authority: pinned } } };
  await expectAccepted(town.consumer([good.packed], policy), /young@1\.0\.0 +signed by alice, bob/);
  await expectRejected(town.consumer([bad.packed], policy), "NOT_SIGNED", /Not signed yet/);
  // One version, signed by both: each line releases for itself.
  const { version, integrity } = bad.packed;
  const sha512 = hexOf(integrity);
  const release = encodeRelease({
    logs: [ORIGIN],
    releases: [{ releaseId: `${idOf("young")}@1.0.0`, sha512, tarSha512: sha512 }],
  });
  expect([(await town.submit(release, "mallory")).exit, version]).toEqual([0, "1.0.1"]);
  await expectAccepted(town.consumer([good.packed], policy), /young@1\.0\.0 +signed by alice, bob/);
});

test("[Authority 34] a statement made for another log is refused", async () => {
  const logs = ["log.example/elsewhere"];
  const entries = new Map([[idOf("widget"), await town.last(idOf("widget"))]]);
  const outcome = await town.submit(encodeVeto(nodeCrypto, { logs, entries }), "alice");
  expectRefused(outcome, "WRONG_LOG S-8", /made for another log than log\.example\/town/);
  expect(outcome.stderr).toContain("hint: It names log.example/elsewhere.");
  const claim = await town.submit(firstClaim("elsewhere", await town.authority("alice", 1), logs), "alice");
  expectRefused(claim, "WRONG_LOG S-8", /made for another log/);
});

test("an auditor who replays all of that finds nothing wrong", async () => {
  expectAudited(await town.audit());
});

function short(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

function firstClaim(name: string, authority: Parameters<typeof rivalOf>[2], logs = [ORIGIN]): Uint8Array {
  const packages = new Map([[idOf(name), { previous: null, earlier: NO_EARLIER, proof: null }]]);
  return encodeClaim(nodeCrypto, { logs, packages, authority });
}
