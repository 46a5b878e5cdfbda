import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { DAY, encodeClaim, encodeEnvelope, NO_EARLIER } from "@touchmark/core";
import { encodeVerifierKey, nodeCrypto, noteSigner } from "@touchmark/log";
import { createStore, type LogServer, openFolder, startLogServer, type Store } from "@touchmark/log-server";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
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

// A lockfile puts another package in the place of one that is claimed, and of which the policy says nothing: what nearly every consumer has.

const ORIGIN = "log.example/main";
const BEGIN = 1_700_000_000;
const NOW = BEGIN + 9 * DAY;
const REGISTRY = "https://registry.example/";
const logs = [ORIGIN];
const [alice, bob] = [person("alice"), person("bob")];
const signer = noteSigner(ORIGIN, new Uint8Array(32).fill(1));

let folder: ReturnType<typeof temporaryFolder>;
let store: Store;
let server: LogServer;
let logUrl: string;
let consumer: Consumer;

beforeAll(async () => {
  folder = temporaryFolder();
  store = await createStore(await openFolder(join(folder.dir, "log"), true), signer, BEGIN);
  server = await startLogServer({ store, clock: () => NOW });
  logUrl = `http://127.0.0.1:${server.port}/`;
  const proof = { version: "0.9.0", sha512: digestOf("0.9.0") };
  const draft = { previous: null, earlier: NO_EARLIER, proof };
  const claim = encodeClaim(nodeCrypto, {
    logs,
    packages: new Map(["pewter", "pewter-core"].map((name) => [`npm:npmjs/${name}`, draft])),
    authority: authority([alice, bob], 2),
    details: null,
  });
  await enter(claim, BEGIN);
  for (const release of ["pewter@1.0.0", "pewter-core@1.0.0"])
    await enter(releasePayload(`npm:npmjs/${release}`, digestOf(release), digestOf(release), logs), NOW);
});
beforeEach(async () => {
  const place = mkdtempSync(join(folder.dir, "consumer-"));
  const log = { url: logUrl, origin: ORIGIN, key: encodeVerifierKey(signer.key) };
  consumer = createConsumer(place, { registry: REGISTRY, log });
  const names = ["pewter", "pewter-core", "tin", "Pewter"];
  const asked = Object.fromEntries(names.map((name) => [`npm:npmjs/${name}`, ["1.0.0"]]));
  consumer.write("touchmark.lock", await companionText(logUrl, asked));
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

async function enter(payload: Uint8Array, time: number): Promise<void> {
  const signers: Holder[] = [alice, bob];
  await forceStatement(store, encodeEnvelope(signedBy(payload, signers)), time);
}

function entry(name: string, more: object = {}): object {
  const integrity = `sha512-${Buffer.from(digestOf(`${name}@1.0.0`), "hex").toString("base64")}`;
  return { version: "1.0.0", resolved: `${REGISTRY}${name}/-/${name}-1.0.0.tgz`, integrity, ...more };
}

async function verify(entries: object): Promise<[number, string]> {
  consumer.write("package-lock.json", { lockfileVersion: 3, packages: { "": {}, ...entries } });
  const { exit, text } = await consumer.touchmark("verify", { now: () => NOW });
  return [exit, text];
}

const sentence = "It is installed as pewter and is not of the holders of npm:npmjs/pewter, who have claimed that name.";
const refused = [1, expect.stringContaining(sentence)];

test("as it should be", async () => {
  expect(await verify({ "node_modules/pewter": entry("pewter") })).toEqual([
    0,
    expect.stringContaining("1 package: 1 signed"),
  ]);
});

test("by an alias", async () => {
  const tin = entry("tin", { name: "tin" });
  expect(await verify({ "node_modules/pewter": tin })).toEqual(refused);
  expect(await verify({ "node_modules/x/node_modules/pewter": tin })).toEqual(refused);
});

test("by an alias of something that nobody has claimed, and under the holders' own other name: that is no theft", async () => {
  expect((await verify({ "node_modules/tin": entry("pewter", { name: "pewter" }) }))[0]).toBe(0);
  expect((await verify({ "node_modules/pewter": entry("pewter-core", { name: "pewter-core" }) }))[0]).toBe(0);
});

test.each<[string, object, object]>([
  ["git", { git: "allow" }, { version: "1.0.0", resolved: "git+https://git.example/pewter.git#0123" }],
  ["another address", { remote: "allow" }, entry("pewter", { resolved: "https://elsewhere.example/pewter.tgz" })],
  ["the disk", { file: "allow" }, entry("pewter", { resolved: "file:pewter.tgz" })],
])("by what comes from %s, though the policy allows that for others", async (_, sources, found) => {
  consumer.setPolicy({ sources });
  expect(await verify({ "node_modules/pewter": found })).toEqual(refused);
});

test("by a name in upper case beside it, which some file systems unpack over it", async () => {
  expect((await verify({ "node_modules/Pewter": entry("Pewter") }))[0]).toBe(0);
  expect(await verify({ "node_modules/pewter": entry("pewter"), "node_modules/Pewter": entry("Pewter") })).toEqual(
    refused,
  );
});

test("if it is meant to be so, the policy says that, for this name alone", async () => {
  consumer.setPolicy({ packages: { pewter: { level: "observe" } } });
  expect((await verify({ "node_modules/pewter": entry("tin", { name: "tin" }) }))[0]).toBe(0);
  expect(await verify({ "node_modules/pewter-core": entry("tin", { name: "tin" }) })).toEqual([
    1,
    expect.stringContaining("not of the holders of npm:npmjs/pewter-core"),
  ]);
});

test("evidence that says nothing of the name leaves it unchecked; the log is asked for it", async () => {
  consumer.write("touchmark.lock", await companionText(logUrl, { "npm:npmjs/tin": ["1.0.0"] }));
  expect(await verify({ "node_modules/pewter": entry("tin", { name: "tin" }) })).toEqual([
    3,
    expect.stringContaining("[EVIDENCE_MISSING V-9]"),
  ]);
  const online = await consumer.touchmark("verify --online", { now: () => NOW });
  expect([online.exit, online.text]).toEqual(refused);
});
