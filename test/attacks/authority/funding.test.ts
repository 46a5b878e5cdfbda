import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAudited, expectRefused } from "./support/statements.ts";
import { openTown, type Town } from "./support/town.ts";

// Where money goes: under the same keys as releases, and never at once somewhere else.

let town: Town;

beforeAll(async () => {
  town = await openTown();
  for (const name of ["paid", "robbed"]) await town.claim(name, "alice bob carol", "--threshold 2 --adoption open");
  await town.turn(8);
});
afterAll(() => town.close());

test("[Authority 29] an address changed today is not paid today; one key vetoes; a transfer clears it", async () => {
  const shown = async (name: string): Promise<string> => (await town.make(`authority show ${name}`)).stdout;
  const fund = (name: string, address: string): string => `funding set ${name} --channel open-collective=${address}`;
  expectRefused(await town.propose(fund("paid", "mallory"), "bob"), "THRESHOLD A-24", /Signed by 1 of 2 holders/);
  for (const name of ["paid", "robbed"]) {
    const { exit, text } = await town.propose(fund(name, "honest"), "alice bob");
    expect(exit, text).toBe(0);
    expect(await shown(name)).toMatch(/waiting +funding.*honest.*in 14 days; any one key can veto it/);
    expect(await shown(name)).not.toMatch(/^funding/m);
  }
  await town.turn(14);
  for (const name of ["paid", "robbed"]) expect(await shown(name)).toMatch(/^funding +open-collective honest$/m);
  // Two of three are tricked, or bought: the third has fourteen days.
  const { exit, text } = await town.propose(fund("robbed", "mallory"), "alice bob");
  expect(exit, text).toBe(0);
  await town.turn(13);
  expect(await shown("robbed")).toMatch(/^funding +open-collective honest$/m);
  const veto = await town.touchmark("veto robbed --holder carol --yes");
  expect([veto.exit, veto.text]).toEqual([0, expect.stringMatching(/This stops: .*mallory/)]);
  await town.turn(2);
  expect(await shown("robbed")).toMatch(/^funding +open-collective honest$/m);
  expect(await shown("robbed")).not.toContain("mallory");
  await town.turn(365);
  const adopted = await town.propose(`adopt propose paid ${await town.cards("erin")} --threshold 1`, "erin");
  expect(adopted.exit, adopted.text).toBe(0);
  await town.turn(21);
  expect(await shown("paid")).toMatch(/^funding +open-collective honest$/m);
  await town.make("adopt finish paid --holder erin --yes --submit");
  expect(await shown("paid")).toMatch(/^epoch +2$/m);
  expect(await shown("paid")).not.toContain("honest");
});

test("an auditor who replays all of that finds nothing wrong", async () => {
  expectAudited(await town.audit());
});
