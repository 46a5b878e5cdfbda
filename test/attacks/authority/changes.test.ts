import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccepted, expectRejected } from "./support/consumers.ts";
import { changeOf, expectAudited, expectRefused, revokeOf } from "./support/statements.ts";
import { idOf, openTown, type Town } from "./support/town.ts";

// Authorities that change, and people who would like to change them alone.

let town: Town;
const STRICT = { packages: { "*": { level: "strict" } } };
const FRIENDS = "rita rob ruth";

beforeAll(async () => {
  town = await openTown();
  for (const name of ["lower", "stolen", "frozen"]) await town.claim(name, "alice bob carol");
  const recovery = `--threshold 2 --recovery-threshold 2 ${await town.cards(FRIENDS, "recovery-key")}`;
  for (const name of ["lost", "vault"]) await town.claim(name, "alice bob", recovery, FRIENDS);
  await town.turn(8);
});
afterAll(() => town.close());

test("[Authority 5] one maintainer alone can't lower the threshold", async () => {
  const change = "authority change lower --threshold 1";
  expectRefused(await town.propose(change, "bob"), "THRESHOLD A-8", /Signed by 1 of 2 holders \(bob\)/);
  // Nor by leaving the others out, nor with a key that he has made himself.
  const alone = await changeOf(town, idOf("lower"), await town.authority("bob", 1));
  expectRefused(await town.submit(alone, "bob"), "THRESHOLD A-8", /Signed by 1 of 2 holders \(bob\)/);
  const puppet = await changeOf(town, idOf("lower"), await town.authority("bob puppet", 1));
  expectRefused(await town.submit(puppet, "bob puppet"), "THRESHOLD A-8", /Signed by 1 of 2 holders \(bob\)/);
});

test("[Authority 6] a quorum's lowering waits fourteen days, where everybody can see it", async () => {
  const admitted = await town.propose("authority change lower --threshold 1", "alice bob");
  expect(admitted.exit, admitted.text).toBe(0);
  const shown = await town.make("authority show lower");
  expect(shown.stdout).toMatch(/to release +2 of 3 holders/);
  expect(shown.stdout).toMatch(/waiting +change to sha256:\S+, entry \d+: takes effect 20\S+ \S+ UTC, in 14 days/);
  await town.turn(13);
  const early = await town.release("lower", "1.0.0", "bob");
  expectRefused(early, "THRESHOLD S-22", /Signed by 1 of 2 holders \(bob\)/);
  await expectRejected(town.consumer([early.packed], STRICT), "NOT_SIGNED", /Not signed yet/);
  await town.turn(1);
  const { packed, exit, text } = await town.release("lower", "1.0.1", "bob");
  expect(exit, text).toBe(0);
  await expectAccepted(town.consumer([packed], STRICT), /lower@1\.0\.1 +signed by bob/);
});

test("[Authority 9] a stolen key revokes itself at once, and what it signed before stays good", async () => {
  const before = await town.release("stolen", "1.0.0", "alice bob");
  expect(before.exit, before.text).toBe(0);
  const key = await town.fingerprint("bob");
  const revoked = await town.touchmark(`authority revoke stolen --key ${key} --yes`);
  expect(revoked.exit, revoked.text).toBe(0);
  const after = await town.release("stolen", "1.0.1", "alice bob");
  expectRefused(after, "REVOKED_KEY A-12", /The key SHA256:\S+ of bob is revoked/);
  await expectAccepted(town.consumer([before.packed], STRICT), /stolen@1\.0\.0 +signed by alice, bob/);
  await expectRejected(town.consumer([after.packed], STRICT), "NOT_SIGNED", /Not signed yet/);
  // Nobody revokes a key of somebody else alone, and a revoked key doesn't come back.
  const spite = await town.submit(await revokeOf(town, idOf("stolen"), "carol"), "alice");
  expectRefused(spite, "THRESHOLD A-12", /Signed by 1 of 2 holders \(alice\)/);
  const again = await changeOf(town, idOf("stolen"), await town.authority("alice bob carol dave", 2));
  expectRefused(await town.submit(again, "alice carol dave"), "REVOKED_KEY A-8", /lists the key SHA256:\S+ of bob/);
  const good = await town.release("stolen", "1.0.2", "alice carol");
  await expectAccepted(town.consumer([good.packed], STRICT), /signed by alice, carol/);
});

test("[Authority 10] fewer live holders than a release needs: frozen, and old releases stay good", async () => {
  const before = await town.release("frozen", "1.0.0", "alice bob");
  await town.make(`authority revoke frozen --key ${await town.fingerprint("alice")} --yes`);
  await town.make(`authority revoke frozen --key ${await town.fingerprint("bob")} --yes`);
  const after = await town.release("frozen", "1.0.1", "carol");
  expectRefused(after, "FROZEN A-12", /frozen: fewer holders have a key that is not revoked than a release needs/);
  expect(after.stderr).toContain("hint: Its holders put that right: touchmark authority change, or touchmark recover");
  await expectAccepted(town.consumer([before.packed], STRICT), /frozen@1\.0\.0 +signed by alice, bob/);
  await expectRejected(town.consumer([after.packed], STRICT), "NOT_SIGNED", /Not signed yet/);
  expect((await town.make("authority show frozen")).stdout).toMatch(/status +frozen/);
});

test("[Authority 11] all keys lost: two of three recover in thirty days, and one surviving key vetoes", async () => {
  const before = await town.release("lost", "1.0.0", "alice bob");
  const cards = await town.cards("nora nils");
  const recovery = (name: string): string => `recover ${name} ${cards} --threshold 2`;
  const few = await town.propose(recovery("lost"), "rita nora nils");
  expectRefused(few, "THRESHOLD A-8", /Signed by 0 of 2 holders/);
  for (const name of ["lost", "vault"]) {
    const { exit, text } = await town.propose(recovery(name), "rita ruth nora nils");
    expect(exit, text).toBe(0);
  }
  await town.turn(29);
  const early = await town.release("lost", "1.0.1", "nora nils");
  expectRefused(early, "WRONG_KEY S-4", /Signed by the wrong key/);
  // The recovery of the other package was no recovery: bob still has his key.
  const vetoed = await town.touchmark("veto vault --holder bob --yes");
  expect([vetoed.exit, vetoed.text]).toEqual([0, expect.stringMatching(/This stops: recovery to sha256:/)]);
  await town.turn(1);
  const recovered = await town.release("lost", "1.0.2", "nora nils");
  expect(recovered.exit, recovered.text).toBe(0);
  await expectAccepted(town.consumer([before.packed, recovered.packed], STRICT), /lost@1\.0\.2 +signed by nils, nora/);
  const refused = await town.release("vault", "1.0.0", "nora nils");
  expectRefused(refused, "WRONG_KEY S-4", /Signed by the wrong key/);
  const good = await town.release("vault", "1.0.1", "alice bob");
  await expectAccepted(town.consumer([good.packed], STRICT), /signed by alice, bob/);
});

test("an auditor who replays all of that finds nothing wrong", async () => {
  expectAudited(await town.audit());
});
