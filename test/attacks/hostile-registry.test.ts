import { readdirSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestRegistry, type TestRegistry } from "../../packages/verify/test/gate-support.ts";
import { entry, PACKAGE_JSON, paxEntry, tgz } from "../../packages/verify/test/tarball-builder.ts";
import { createConsumer, type Consumer } from "../support/consumer.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// I14 and I15 with the real npm: a registry that says whatever it likes of a package that nobody has claimed.

let workshop: Workshop;
let registry: TestRegistry;
let place = 0;

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
});
beforeEach(async () => {
  registry = await startTestRegistry();
  return () => registry.close();
});
afterAll(() => workshop.close());

function open(): { consumer: Consumer; root: string } {
  const root = join(workshop.root, `place-${++place}`);
  return { consumer: createConsumer(root, { registry: registry.url, log: workshop.log.endpoint }), root };
}

/** The install is refused with this code, in npm's words and in ours, and nothing was written, here or elsewhere. */
async function expectRefused(code: string): Promise<void> {
  const { consumer, root } = open();
  const outcome = await consumer.touchmark("npm install widget");
  expect(outcome.exit, outcome.text).toBe(1);
  expect(outcome.text).toMatch(new RegExp(`npm error .*\\(${code}\\)`));
  expect(outcome.text).toMatch(new RegExp(`\\ntouchmark refused.*:\\n {2}widget.*: .*\\(${code}\\)`));
  expect(readdirSync(root).toSorted()).toEqual(["home", "project"]);
  expect(readdirSync(consumer.directory).toSorted()).toEqual(["package.json", "touchmark.json"]);
}

describe("I14: tarballs", () => {
  const named = (path: string): Buffer => entry({ path, body: "x" });

  test.each<[string, () => Buffer, string]>([
    ["a path that climbs", () => tgz(PACKAGE_JSON, named("package/../../../escaped")), "TARBALL_PATH"],
    ["an absolute path", () => tgz(PACKAGE_JSON, named("/tmp/escaped")), "TARBALL_PATH"],
    [
      "a link out of the package",
      () => tgz(PACKAGE_JSON, { path: "package/l", type: "2", link: "../../.." }),
      "TARBALL_LINK",
    ],
    ["the same path twice", () => tgz(PACKAGE_JSON, named("package/a"), named("package/a")), "TARBALL_DUPLICATE"],
    ["two package.json", () => tgz(PACKAGE_JSON, { ...PACKAGE_JSON, path: "x/package.json" }), "TARBALL_DUPLICATE"],
    [
      "a path that is overridden",
      () => tgz(PACKAGE_JSON, paxEntry({ path: "package/evil.js" }), named("package/good.js")),
      "TARBALL_OVERRIDE",
    ],
    ["a sparse file", () => tgz(PACKAGE_JSON, { path: "package/s", type: "S", body: "x" }), "TARBALL_ENTRY_TYPE"],
    [
      "a size of eight gigabytes",
      () => tgz(PACKAGE_JSON, { path: "package/a", size: "77777777777 ", body: "x" }),
      "TARBALL_TOO_LARGE",
    ],
    ["a thousand bytes for one", () => gzipSync(Buffer.alloc(80 * 2 ** 20), { level: 9 }), "TARBALL_TOO_LARGE"],
    ["data behind the end", () => Buffer.concat([tgz(PACKAGE_JSON), Buffer.from("more")]), "TARBALL_TRAILING_DATA"],
    [
      "another package",
      () => tgz({ path: "package/package.json", body: '{"name":"other","version":"1.0.0"}' }),
      "TARBALL_OTHER_PACKAGE",
    ],
  ])("%s", async (_, make, code) => {
    registry.publish("widget", "1.0.0", { bytes: make() });
    await expectRefused(code);
  });
});

describe("I15: documents", () => {
  const say = (document: string): void => {
    registry.routes.set("widget", (_, response) => response.end(document));
  };

  test("a hundred thousand versions", async () => {
    const versions = Array.from({ length: 100_000 }, (_, i) => [`1.0.${i}`, { name: "widget", version: `1.0.${i}` }]);
    say(JSON.stringify({ name: "widget", "dist-tags": { latest: "1.0.0" }, versions: Object.fromEntries(versions) }));
    await expectRefused("PACKUMENT_TOO_LARGE");
  });

  test("a version that stands twice", async () => {
    say('{"name":"widget","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{},"1.0.0":{}}}');
    await expectRefused("PACKUMENT_MALFORMED");
  });

  test("another package's", async () => {
    say('{"name":"other","dist-tags":{},"versions":{}}');
    await expectRefused("PACKUMENT_MALFORMED");
  });

  test("__proto__ among the versions and their keys", async () => {
    const bytes = registry.publish("widget", "1.0.0");
    const document = JSON.stringify(registry.document("widget"));
    const dirty = document.replace(
      '"versions":{',
      '"__proto__":{"versions":{}},"versions":{"__proto__":{"name":"widget","version":"9.9.9"},',
    );
    expect([dirty === document, bytes.length > 0]).toEqual([false, true]);
    say(dirty);
    const { consumer } = open();
    const outcome = await consumer.touchmark("npm install widget");
    expect(outcome.exit, outcome.text).toBe(0);
    expect(consumer.lockfile().packages["node_modules/widget"]!["version"]).toBe("1.0.0");
  });

  test("a tarball at another host is not fetched", async () => {
    const other = await startTestRegistry();
    registry.publish("widget", "1.0.0", { tarball: `${other.url}widget/-/widget-1.0.0.tgz` });
    await expectRefused("PACKUMENT_HOST");
    expect(other.requests).toEqual([]);
    await other.close();
  });

  test("a readme without end", async () => {
    let sent = 0;
    registry.routes.set("widget", (_, response) => {
      response.write('{"name":"widget","readme":"');
      sendWithoutEnd(response, (bytes) => (sent += bytes));
    });
    await expectRefused("PACKUMENT_TOO_LARGE");
    expect(sent).toBeLessThan(100 * 2 ** 20);
  });
});

function sendWithoutEnd(response: ServerResponse, count: (bytes: number) => void): void {
  const chunk = Buffer.alloc(2 ** 20, "a");
  const send = (): void => {
    if (response.destroyed) return;
    count(chunk.length);
    if (response.write(chunk)) setImmediate(send);
    else response.once("drain", send);
  };
  send();
}
