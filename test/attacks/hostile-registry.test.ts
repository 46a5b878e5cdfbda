import { readdirSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestRegistry, tarballOf, type TestRegistry } from "../../packages/verify/test/gate-support.ts";
import { entry, PACKAGE_JSON, paxEntry, tgz } from "../../packages/verify/test/tarball-builder.ts";
import { createConsumer, type Consumer } from "../support/consumer.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// I14 and I15 with the real npm: a registry that says whatever it likes of packages that nobody has claimed.

let workshop: Workshop;
let registry: TestRegistry;
let other: TestRegistry;
let root: string;
let consumer: Consumer;
let sent = 0;
let refusals: { name: string; code: string; reason: string; what: string }[];

const named = (path: string): Buffer => entry({ path, body: "x" });

const TARBALLS: [string, string, () => Buffer][] = [
  ["climbing", "TARBALL_PATH", () => tgz(PACKAGE_JSON, named("package/../../../escaped"))],
  ["absolute", "TARBALL_PATH", () => tgz(PACKAGE_JSON, named("/tmp/touchmark-escaped"))],
  ["linked-out", "TARBALL_LINK", () => tgz(PACKAGE_JSON, { path: "package/l", type: "2", link: "../../.." })],
  ["path-twice", "TARBALL_DUPLICATE", () => tgz(PACKAGE_JSON, named("package/a"), named("package/a"))],
  ["two-manifests", "TARBALL_DUPLICATE", () => tgz(PACKAGE_JSON, { ...PACKAGE_JSON, path: "x/package.json" })],
  [
    "overridden",
    "TARBALL_OVERRIDE",
    () => tgz(PACKAGE_JSON, paxEntry({ path: "package/evil" }), named("package/good")),
  ],
  ["sparse", "TARBALL_ENTRY_TYPE", () => tgz(PACKAGE_JSON, { path: "package/s", type: "S", body: "x" })],
  [
    "eight-gigabytes",
    "TARBALL_TOO_LARGE",
    () => tgz(PACKAGE_JSON, { path: "package/a", size: "77777777777 ", body: "x" }),
  ],
  ["thousandfold", "TARBALL_TOO_LARGE", () => gzipSync(Buffer.alloc(80 * 2 ** 20), { level: 9 })],
  ["more-behind", "TARBALL_TRAILING_DATA", () => Buffer.concat([tgz(PACKAGE_JSON), Buffer.from("more")])],
  ["somebody-else", "TARBALL_OTHER_PACKAGE", () => tgz(PACKAGE_JSON)],
];

const DOCUMENTS: [string, string, string | ((response: ServerResponse) => void)][] = [
  ["many-versions", "PACKUMENT_TOO_LARGE", manyVersions("many-versions")],
  ["version-twice", "PACKUMENT_MALFORMED", '{"name":"version-twice","versions":{"1.0.0":{},"1.0.0":{}}}'],
  ["of-another", "PACKUMENT_MALFORMED", '{"name":"other","dist-tags":{},"versions":{}}'],
  ["endless", "PACKUMENT_TOO_LARGE", sendWithoutEnd],
];

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
  [registry, other] = await Promise.all([startTestRegistry(), startTestRegistry()]);
  for (const [name, , make] of TARBALLS) registry.publish(name, "1.0.0", { bytes: make() });
  for (const [name, , document] of DOCUMENTS) {
    const say = typeof document === "string" ? (response: ServerResponse) => response.end(document) : document;
    registry.routes.set(name, (_, response) => say(response));
  }
  registry.publish("elsewhere", "1.0.0", { tarball: `${other.url}elsewhere/-/elsewhere-1.0.0.tgz` });
  registry.publish("proto", "1.0.0");
  const honest = JSON.stringify(registry.document("proto"));
  const dirty = '"__proto__":{"versions":{}},"versions":{"__proto__":{"name":"proto","version":"9.9.9"},';
  registry.routes.set("proto", (_, response) => response.end(honest.replace('"versions":{', dirty)));
  registry.publish("good", "1.0.0", { bytes: tarballOf("good", "1.0.0") });

  // npm goes on without optional dependencies that it can't have: so one install meets them all.
  const all = [...TARBALLS, ...DOCUMENTS].map(([name]) => name);
  root = join(workshop.root, "place");
  consumer = createConsumer(
    root,
    { registry: registry.url, log: workshop.log.endpoint },
    {
      manifest: {
        dependencies: { good: "1.0.0", proto: "1.0.0" },
        optionalDependencies: Object.fromEntries([...all, "elsewhere"].map((name) => [name, "1.0.0"])),
      },
    },
  );
  const outcome = await consumer.touchmark("--json npm install");
  expect(outcome.exit, outcome.text).toBe(0);
  ({ refusals } = JSON.parse(outcome.stdout) as { refusals: typeof refusals });
});
afterAll(async () => {
  await Promise.all([registry.close(), other.close()]);
  await workshop.close();
});

function manyVersions(name: string): string {
  const versions = Array.from({ length: 100_000 }, (_, i) => [`1.0.${i}`, { name, version: `1.0.${i}` }]);
  return JSON.stringify({ name, "dist-tags": { latest: "1.0.0" }, versions: Object.fromEntries(versions) });
}

/** A readme that never ends. */
function sendWithoutEnd(response: ServerResponse): void {
  const chunk = Buffer.alloc(2 ** 20, "a");
  const send = (): void => {
    if (response.destroyed) return;
    sent += chunk.length;
    if (response.write(chunk)) setImmediate(send);
    else response.once("drain", send);
  };
  response.write('{"name":"endless","readme":"');
  send();
}

describe("I14: tarballs", () => {
  test.each(TARBALLS)("%s: refused whole", (name, code) => {
    expect(refusals.filter((refusal) => refusal.name === name)).toMatchObject([{ what: "tarball", code }]);
  });

  test("nothing of any of them was written, here or elsewhere", () => {
    expect(readdirSync(consumer.path("node_modules")).toSorted()).toEqual([".package-lock.json", "good", "proto"]);
    expect(readdirSync(consumer.directory).toSorted()).toEqual([
      "node_modules",
      "package-lock.json",
      "package.json",
      "touchmark.json",
      "touchmark.lock",
    ]);
    expect(readdirSync(root).toSorted()).toEqual(["home", "project"]);
  });

  test("asked for by name, it fails in npm's words and in ours", async () => {
    const asking = createConsumer(join(workshop.root, "asking"), {
      registry: registry.url,
      log: workshop.log.endpoint,
    });
    const outcome = await asking.touchmark("npm install climbing");
    expect(outcome.exit, outcome.text).toBe(1);
    expect(outcome.text).toMatch(/npm error .*\(TARBALL_PATH\)/);
    expect(outcome.text).toMatch(/\ntouchmark refused.*:\n {2}climbing@1\.0\.0: .*\(TARBALL_PATH\)/);
    expect(readdirSync(asking.directory).toSorted()).toEqual(["package.json", "touchmark.json"]);
  });
});

describe("I15: documents", () => {
  test.each(DOCUMENTS)("%s: refused whole", (name, code) => {
    expect(refusals.filter((refusal) => refusal.name === name)).toMatchObject([{ what: "package", code }]);
  });

  test("one without end is not read to the end", () => {
    expect(sent).toBeLessThan(100 * 2 ** 20);
  });

  test("a tarball at another host is not fetched", () => {
    expect(refusals.filter(({ name }) => name === "elsewhere")).toMatchObject([{ code: "PACKUMENT_HOST" }]);
    expect(other.requests).toEqual([]);
  });

  test("__proto__ among the versions and their keys is a name like others", () => {
    expect(consumer.lockfile().packages["node_modules/proto"]!["version"]).toBe("1.0.0");
  });
});
