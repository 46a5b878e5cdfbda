import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  DAY,
  type Details,
  encodeAdopt,
  encodeAdoptFinal,
  encodeClaim,
  encodeEnvelope,
  encodeHold,
  encodeRevoke,
  NO_EARLIER,
  parseStatement,
} from "@touchmark/core";
import { encodeVerifierKey, leafHash, nodeCrypto, noteSigner } from "@touchmark/log";
import { createStore, type LogServer, openFolder, startLogServer, type Store } from "@touchmark/log-server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { forceStatement } from "../../packages/log-server/test/support/forged.ts";
import { temporaryFolder } from "../../packages/log-server/test/support/log.ts";
import {
  authority,
  digestOf,
  type Holder,
  person,
  releasePayload,
  signedBy,
} from "../../packages/verify/test/support/people.ts";
import { companionText } from "../support/companion.ts";
import { type Consumer, createConsumer } from "../support/consumer.ts";
import type { Place } from "../support/touchmark.ts";

// I12, A17, A30: a package that its holders have left is taken over, in a log of a year and more; the consumer pins who held it before.

const ORIGIN = "log.example/main";
const PEWTER = "npm:npmjs/pewter";
const BEGIN = 1_700_000_000;
const logs = [ORIGIN];
const [alice, bob, erin] = [person("alice"), person("bob"), person("erin")];
const [olaf, olga, xena, yves] = [person("olaf"), person("olga"), person("xena"), person("yves")];
const [ONE, TWO] = ["committee:one", "committee:two"];
const REGISTRY = "https://registry.example/";
const signer = noteSigner(ORIGIN, new Uint8Array(32).fill(1));

let folder: ReturnType<typeof temporaryFolder>;
let store: Store;
let server: LogServer;
let consumer: Consumer;
let day: number;
let before: string;

const now = (): number => BEGIN + Math.round(day * DAY);

beforeEach(async () => {
  folder = temporaryFolder();
  day = 0;
  store = await createStore(await openFolder(join(folder.dir, "log"), true), signer, BEGIN);
  server = await startLogServer({ store, clock: now });
  before = await claim(PEWTER, [alice, bob], null);
  const details = { kind: "committee" as const, scope: ["*"], powers: ["adopt" as const], termDays: 1000 };
  const founded = await claim(ONE, [olaf, olga], details);
  const other = await claim(TWO, [xena, yves], details);
  await claim(`log:${ORIGIN}`, [person("operator"), person("deputy")], { kind: "charter", committees: [ONE, TWO] });
  const powers = ["adopt"];
  const committees = { [ONE]: { authority: founded, powers }, [TWO]: { authority: other, powers } };
  day = 8;
  await release("1.0.0", [alice, bob]);
  mkdirSync(join(folder.dir, "consumer"));
  const log = { url: `http://127.0.0.1:${server.port}/`, origin: ORIGIN, key: encodeVerifierKey(signer.key) };
  consumer = createConsumer(join(folder.dir, "consumer"), { registry: REGISTRY, log }, { policy: { committees } });
  lock("1.0.0");
  const asked = { [PEWTER]: ["1.0.0"], [ONE]: [], [TWO]: [] };
  consumer.write("touchmark.lock", await companionText(log.url, asked, { [PEWTER]: before }));
});
afterEach(async () => {
  await server.close();
  folder.remove();
});

async function claim(id: string, keys: Holder[], details: Details): Promise<string> {
  const proof = id === PEWTER ? { version: "0.9.0", sha512: digestOf("0.9.0") } : null;
  const payload = encodeClaim(nodeCrypto, {
    logs,
    packages: new Map([[id, { previous: null, earlier: NO_EARLIER, proof }]]),
    authority: authority(keys, 2),
    details,
  });
  await enter(payload, keys);
  const statement = parseStatement(nodeCrypto, payload);
  return statement.kind === "claim" ? statement.authority.digest : "";
}

async function enter(payload: Uint8Array, signers: Holder[]): Promise<Uint8Array> {
  const index = store.checkpoint().size;
  await forceStatement(store, encodeEnvelope(signedBy(payload, signers)), now());
  return leafHash(await store.leaf(index));
}

const release = (version: string, signers: Holder[]): Promise<Uint8Array> =>
  enter(releasePayload(`${PEWTER}@${version}`, digestOf(version), digestOf(version), logs), signers);

async function adopt(): Promise<void> {
  day = 400;
  const previous = leafHash(await store.leaf(1));
  const draft = { logs, packageId: PEWTER, previous, authority: authority([erin], 1), committees: [ONE, TWO] };
  const adoption = await enter(encodeAdopt(nodeCrypto, draft), [erin, olaf, olga, xena, yves]);
  day = 490;
  await enter(encodeAdoptFinal(nodeCrypto, { logs, packageId: PEWTER, adoption }), [erin]);
  await release("2.0.0", [erin]);
}

function lock(version: string): void {
  const integrity = `sha512-${Buffer.from(digestOf(version), "hex").toString("base64")}`;
  const entry = { version, resolved: `${REGISTRY}pewter/-/pewter-${version}.tgz`, integrity };
  consumer.write("package-lock.json", { lockfileVersion: 3, packages: { "": {}, "node_modules/pewter": entry } });
}

const run = async (command: string, more: Partial<Place> = {}): Promise<[number, string]> => {
  const { exit, text } = await consumer.touchmark(command, { now, ...more });
  return [exit, text];
};

/** touchmark.lock and touchmark.json as they are. */
const files = (): (string | undefined)[] => [consumer.read("touchmark.lock"), consumer.read("touchmark.json")];

describe("a package that changed hands", () => {
  test("is refused with what happened, until a person accepts it; nothing is written before", async () => {
    expect(await run("verify")).toEqual([0, expect.stringContaining("1 package: 1 signed")]);
    await adopt();
    lock("2.0.0");
    const [exit, text] = await run("verify --online");
    expect([exit, text]).toEqual([1, expect.stringContaining("[AUTHORITY_CHANGED V-13]")]);
    expect(text).toContain("erin adopted it with committee:one and committee:two, in entry");
    expect(text).toContain("hint: If that is right: touchmark accept pewter");
    const untouched = files();
    expect(await run("accept pewter")).toEqual([2, expect.stringContaining("[CONFIRMATION_NEEDED]")]);
    expect(await run("accept pewter", { typed: ["n"] })).toEqual([4, expect.stringContaining("Nothing was written.")]);
    expect(files()).toEqual(untouched);

    const [accepted, shown] = await run("accept pewter", { typed: ["y"] });
    expect(accepted, shown).toBe(0);
    expect(shown).toContain("The authority of npm:npmjs/pewter changed hands.");
    expect(shown).toMatch(/was +sha256:[0-9a-f]{64}\n +alice +SHA256:\S+\n +bob +SHA256:/);
    expect(shown).toMatch(/is +sha256:[0-9a-f]{64}\n +erin +SHA256:/);
    expect(shown).toMatch(/proposed in entry \d+ by .*olaf of committee:one \(SHA256:/);
    expect(consumer.read("touchmark.lock")).toMatch(
      /"npm:npmjs\/pewter":\{"authority":"sha256:[0-9a-f]{64}","epoch":2,/,
    );
    expect(consumer.read("touchmark.json")).toBe(untouched[1]); // it names no authority
    expect(await run("verify")).toEqual([0, expect.stringContaining("1 package: 1 signed")]);
    expect(await run("verify --online")).toEqual([0, expect.stringContaining("1 package: 1 signed")]);
    expect(await run("accept pewter")).toEqual([0, expect.stringContaining("There is nothing to accept")]);
    const [, explained] = await run("explain pewter@2.0.0");
    expect(explained).toMatch(/epoch +2\n +erin adopted it with committee:one and committee:two, in entry \d+ of/);
    expect(explained).toMatch(/proofs +\(a\) version 0\.9\.0, sha512 \S+, entry 1\n/);
    expect(explained).toMatch(/pinned +sha256:[0-9a-f]{64} in touchmark\.lock: epoch 2, entry \d+, proof \(a\)\n/);
    lock("1.0.0"); // signed before, under the old authority
    expect(await run("verify --online")).toEqual([0, expect.stringContaining("1 package: 1 signed")]);
  });

  test("A10: a frozen package stays good and is shown as frozen, without being asked for", async () => {
    const keys = [alice.fingerprint];
    await enter(encodeRevoke(nodeCrypto, { logs, subjects: [PEWTER], keys }), [alice]);
    const [exit, text] = await run("verify --online");
    expect([exit, text]).toEqual([0, expect.stringContaining("1 package: 1 signed")]);
    expect(text).toContain("accepted   pewter@1.0.0  signed by alice, bob\n  The package is frozen:");
  });

  test("what waits and what is held is explained", async () => {
    day = 400;
    const previous = leafHash(await store.leaf(1));
    const draft = { logs, packageId: PEWTER, previous, authority: authority([erin], 1), committees: [ONE, TWO] };
    await enter(encodeAdopt(nodeCrypto, draft), [erin, olaf, olga, xena, yves]);
    const held = { logs, by: PEWTER, releases: [`${PEWTER}@1.0.0`], reason: "broken build", osv: null, renews: null };
    const [, waiting] = await run("explain pewter@1.0.0 --online");
    expect(waiting).toMatch(
      /pending +adoption, entry \d+, may be finished from 20\S+ \S+ UTC on, any of its keys may veto it: sha/,
    );
    await enter(encodeHold(nodeCrypto, held), [alice]);
    const [exit, text] = await run("explain pewter@1.0.0 --online");
    expect(exit).toBe(1);
    expect(text).toMatch(/held +by npm:npmjs\/pewter, entry \d+, until 20\S+ \S+ UTC: broken build\n/);
    expect(text).toContain("[HELD V-42]");
    expect(text).not.toContain("pending"); // the hold was a sign of life
  });

  test("the authority that touchmark.json names is moved in place, and --json says everything", async () => {
    const packages = { "*": { level: "ratchet" }, pewter: { level: "strict", authority: before } };
    consumer.setPolicy({ packages });
    await adopt();
    lock("2.0.0");
    expect((await run("verify --online"))[0]).toBe(1);
    const { exit, stdout } = await consumer.touchmark("accept pewter --yes --json", { now });
    const document = JSON.parse(stdout) as { to: { authority: string } };
    expect([exit, document]).toEqual([
      0,
      expect.objectContaining({
        ok: true,
        package: PEWTER,
        from: before,
        to: expect.objectContaining({ epoch: 2, proof: "a", holders: ["erin"] }),
        handovers: [expect.objectContaining({ way: "adoption", committees: [ONE, TWO], epoch: 2 })],
        written: [consumer.path("touchmark.lock"), consumer.path("touchmark.json")],
      }),
    ]);
    expect(consumer.policy().packages).toEqual({
      ...packages,
      pewter: { level: "strict", authority: document.to.authority },
    });
    expect(await run("verify")).toEqual([0, expect.stringContaining("1 package: 1 signed")]);
  });

  test("A30: for who recognises none of its committees the old authority stands, and there is nothing to accept", async () => {
    consumer.setPolicy({ committees: {} });
    await adopt();
    expect(await run("verify --online")).toEqual([0, expect.stringContaining("1 package: 1 signed")]);
    lock("2.0.0");
    expect(await run("verify --online")).toEqual([1, expect.stringContaining("[WRONG_KEY V-14 S-4]")]);
    expect(await run("accept pewter --yes")).toEqual([0, expect.stringContaining("There is nothing to accept")]);
  });

  test("what nobody holds in force can't be accepted, and without the log nothing can", async () => {
    const untouched = files();
    consumer.setPolicy({ packages: { copper: { authority: before } } });
    expect(await run("accept copper --yes")).toEqual([1, expect.stringContaining("[NOT_CLAIMED V-13]")]);
    expect(await run("accept pewter@1.0.0")).toEqual([2, expect.stringContaining("[USAGE]")]);
    const away = { fetch: () => Promise.reject(new TypeError("fetch failed")) };
    expect(await run("accept pewter --yes", away)).toEqual([3, expect.stringContaining("[LOG_UNREACHABLE")]);
    expect(consumer.read("touchmark.lock")).toBe(untouched[0]);
  });
});
