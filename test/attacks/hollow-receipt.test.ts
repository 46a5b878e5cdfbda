import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packRelease } from "../support/packed.ts";
import { type Outcome, type Place, runTouchmark } from "../support/touchmark.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// The operator answers a submission as if it were logged, and drops it: a revoked key would go on signing while its holder thinks it is void. The
// checkpoint of the answer is the log's own, signed and in no contradiction to anything.

type Network = NonNullable<Place["fetch"]>;
type Receipt = { entries: Record<string, number>; checkpoint: string };

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
  await workshop.claim("pewter");
  await workshop.claim("tin");
});
afterAll(() => workshop.close());

/** Whatever is submitted is answered with this, and never reaches the log. */
const answering =
  (receipt: Receipt): Network =>
  async (url, init) =>
    url.endsWith("/submit") ? Response.json(receipt) : fetch(url, init);

const submit = (file: string, network?: Network): Promise<Outcome> =>
  runTouchmark(["submit", file, "--wait", "0", "--json"], { ...workshop.makers, ...(network && { fetch: network }) });

/** A receipt that the log really gave, for the claim of a package. */
async function receiptOf(name: string): Promise<Receipt> {
  const { stdout } = await submit(`${name}.claim.touchmark`);
  return JSON.parse(stdout) as Receipt;
}

/** A release signed by two, not submitted. */
async function signed(version: string): Promise<string> {
  const file = workshop.putOnDesk(packRelease({ name: "pewter", version }));
  for (const holder of ["alice", "bob"]) await workshop.make(`sign ${file} --holder ${holder} --yes`);
  return `${file}.touchmark`;
}

describe("[L-42] an answer that the log's tree does not bear out", () => {
  test.each<[string, (claim: Receipt) => Record<string, number>]>([
    ["another statement's entry of the package", ({ entries }) => entries],
    ["an epoch leaf", () => ({ "npm:npmjs/pewter": 0 })],
    ["no entry", () => ({})],
    ["another package's entry", () => ({ "npm:npmjs/tin": 1 })],
    ["an entry too many", ({ entries }) => ({ ...entries, "npm:npmjs/tin": 3 })],
  ])("is not believed: %s", async (_what, entriesOf) => {
    const claim = await receiptOf("pewter");
    const file = await signed("1.0.0");
    const outcome = await submit(file, answering({ ...claim, entries: entriesOf(claim) }));
    expect(outcome.exit, outcome.text).toBe(3);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ ok: false, error: { code: "NOT_LOGGED" } });
    expect(outcome.text).toContain("nothing shows that it is logged");
  });

  test("is not believed of tiles that are not the checkpoint's either", async () => {
    const claim = await receiptOf("pewter");
    const file = await signed("1.1.0");
    const [index] = Object.values(claim.entries);
    const forging: Network = async (url, init) => {
      const response = await answering({ ...claim, entries: { "npm:npmjs/pewter": index! } })(url, init);
      if (!url.includes("/tile/entries/")) return response;
      const bytes = new Uint8Array(await response.arrayBuffer());
      bytes[70]! ^= 1; // in the first leaves, which nobody asked about
      return new Response(bytes);
    };
    const outcome = await submit(file, forging);
    expect([outcome.exit, outcome.text]).toEqual([3, expect.stringMatching(/BAD_TILE|NOT_LOGGED/)]);
  });

  test("is waited for where a reader of the log is a moment behind", async () => {
    const file = await signed("1.3.0");
    let missing = 1;
    const outcome = await runTouchmark(["submit", file, "--wait", "5"], {
      ...workshop.makers,
      fetch: async (url, init) =>
        url.includes("/tile/") && missing-- > 0 ? new Response("", { status: 404 }) : fetch(url, init),
    });
    expect(outcome.exit, outcome.text).toBe(0);
    expect(outcome.stderr).toContain("the log does not serve the tree of its answer yet; trying again in 1 s");
  });

  test("is believed where another signer's envelope of the same statement came first", async () => {
    const file = await signed("1.2.0");
    expect((await submit(file)).exit).toBe(0);
    await workshop.make(`sign ${file} --holder carol --yes`);
    const again = await submit(file);
    expect(again.exit, again.text).toBe(0);
  });
});
