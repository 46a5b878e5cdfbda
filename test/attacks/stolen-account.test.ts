import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Consumer } from "../support/consumer.ts";
import { type Packed, packRelease } from "../support/packed.ts";
import { EVIL, openWorkshop, type Workshop } from "../support/workshop.ts";

// Whoever has the npm account, a CI job's token or the registry itself, and no key of a holder.

let workshop: Workshop;
let strict: object;
let first: Packed;

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "verdaccio" });
  const authority = await workshop.claim("pewter");
  strict = { pewter: { level: "strict", authority } };
  first = await workshop.release({ name: "pewter", version: "1.0.0" });
  await workshop.publish(workshop.evil("pewter", "1.0.1"));
  await workshop.publish({
    name: "honest",
    version: "1.0.0",
    manifest: { scripts: { postinstall: "echo ran > ran" }, dependencies: { pewter: "1.0.1" } },
  });
});
afterEach(() => {
  expect(workshop.crimeCommitted()).toBe(false);
});
afterAll(() => workshop.close());

function expectNothingInstalled(consumer: Consumer): void {
  expect(consumer.filesWith(EVIL)).toEqual([]);
  for (const file of ["node_modules/pewter", "package-lock.json", "touchmark.lock"])
    expect(consumer.has(file), file).toBe(false);
}

describe("I1: a thief of the npm account publishes a version that nobody signed", () => {
  test("a range falls back to the newest good version, and says which were held back", async () => {
    const consumer = workshop.consumer({ packages: strict, manifest: { dependencies: { pewter: "^1.0.0" } } });
    const outcome = await consumer.touchmark("npm install");
    expect(outcome.exit, outcome.text).toBe(0);
    expect(outcome.text).toContain("touchmark held newer versions back:\n  pewter@1.0.1: Not signed yet");
    expect(outcome.text).toContain("pewter@1.0.0  signed by alice, bob");
    expect(consumer.read("node_modules/pewter/index.js")).toContain("pewter 1.0.0");
    expect(consumer.filesWith(EVIL)).toEqual([]);
  });

  test("by its number it is refused in npm's own words and in ours, and nothing is left", async () => {
    const consumer = workshop.consumer({ packages: strict });
    const manifest = consumer.read("package.json");
    const outcome = await consumer.touchmark("npm install pewter@1.0.1");
    expect(outcome.exit).toBe(1);
    expect(outcome.text).toMatch(/npm error .*1\.0\.1: Not signed yet: .*\(NOT_SIGNED\)/);
    expect(outcome.text).toMatch(
      /touchmark refused.*:\n {2}pewter@1\.0\.1: Not signed yet: .* \(NOT_SIGNED\)\n {4}Use a signed/,
    );
    expect(consumer.read("package.json")).toBe(manifest);
    expectNothingInstalled(consumer);
  });

  test("an optional dependency on it is left out, and that is said", async () => {
    await workshop.publish({ name: "lax", version: "1.0.0", manifest: { optionalDependencies: { pewter: "1.0.1" } } });
    const consumer = workshop.consumer({ packages: strict });
    const outcome = await consumer.touchmark("npm install lax");
    expect(outcome.exit, outcome.text).toBe(0);
    expect(outcome.text).toContain("touchmark refused what is optional, and npm went on without it:\n  pewter@1.0.1:");
    expect([consumer.filesWith(EVIL), consumer.has("node_modules/pewter")]).toEqual([[], false]);
  });
});

test("I13: with one package of a tree refused, no script of any package has run", async () => {
  const consumer = workshop.consumer({
    packages: strict,
    manifest: { scripts: { preinstall: "echo root > root-ran" } },
  });
  const outcome = await consumer.touchmark("npm install honest");
  expect(outcome.exit).toBe(1);
  expect(outcome.text).toContain("NOT_SIGNED");
  expectNothingInstalled(consumer);
  expect([consumer.has("root-ran"), consumer.has("node_modules/honest")]).toEqual([false, false]);
});

describe("I2: the registry serves other bytes under a signed version", () => {
  const evil = (): Packed => packRelease(workshop.evil("pewter", "1.0.0"));

  /** The registry's own files are changed: the tarball, and its document too if `document`. */
  async function swapped(document: boolean, attack: () => Promise<void>): Promise<void> {
    const folder = join(workshop.registry.storage, "pewter");
    const [tarball, manifest] = [join(folder, "pewter-1.0.0.tgz"), join(folder, "package.json")];
    const honest = readFileSync(manifest, "utf8");
    writeFileSync(tarball, evil().tarball);
    if (document)
      writeFileSync(
        manifest,
        honest.replaceAll(first.integrity, evil().integrity).replaceAll(first.shasum, evil().shasum),
      );
    try {
      await attack();
    } finally {
      writeFileSync(tarball, first.tarball);
      writeFileSync(manifest, honest);
    }
  }

  test("with the document changed alike: refused by the signed digest", async () => {
    await swapped(true, async () => {
      const consumer = workshop.consumer({ packages: strict });
      const outcome = await consumer.touchmark("npm install pewter@1.0.0");
      expect(outcome.exit).toBe(1);
      expect(outcome.text).toMatch(
        /pewter@1\.0\.0: Other bytes than those signed: sha512 \w+… was signed, .* \(WRONG_DIGEST\)/,
      );
      expectNothingInstalled(consumer);
    });
  });

  test("with an honest document, or an honest lockfile: refused while npm runs", async () => {
    const locked = workshop.consumer({ packages: strict, manifest: { dependencies: { pewter: "1.0.0" } } });
    expect((await locked.touchmark("npm install --package-lock-only")).exit).toBe(0);
    await swapped(false, async () => {
      const fresh = workshop.consumer({ packages: strict });
      for (const [consumer, command] of [
        [fresh, "npm install pewter@1.0.0"],
        [locked, "npm ci"],
      ] as const) {
        const outcome = await consumer.touchmark(command);
        expect(outcome.exit, command).toBe(1);
        expect(outcome.text).toContain("WRONG_DIGEST");
        expect([consumer.filesWith(EVIL), consumer.has("node_modules/pewter")]).toEqual([[], false]);
      }
    });
  });

  test("of a package that nobody claimed: whoever has locked it gets those bytes or none", async () => {
    const tin = await workshop.publish({ name: "tin", version: "1.0.0" });
    const consumer = workshop.consumer({ manifest: { dependencies: { tin: "1.0.0" } } });
    expect((await consumer.touchmark("npm install --package-lock-only")).exit).toBe(0);
    const other = packRelease(workshop.evil("tin", "1.0.0"));
    const lying: Consumer["fetch"] = async (url, init) =>
      url.endsWith("/tin-1.0.0.tgz") ? new Response(new Uint8Array(other.tarball)) : fetch(url, init);
    const outcome = await consumer.touchmark("npm ci", { fetch: lying });
    expect(outcome.exit).toBe(1);
    expect(outcome.text).toContain(
      "tin@1.0.0: The registry serves other bytes than its document or the lockfile says. (INTEGRITY_MISMATCH)",
    );
    expect(consumer.filesWith(EVIL)).toEqual([]);
    expect(tin.integrity).not.toBe(other.integrity);
  });

  test("first the honest ones and then others: what was judged is what is installed", async () => {
    await workshop.publish({ name: "zinc", version: "1.0.0" });
    const other = packRelease(workshop.evil("zinc", "1.0.0"));
    let asked = 0;
    const fickle: Consumer["fetch"] = async (url, init) =>
      url.endsWith("/zinc-1.0.0.tgz") && asked++ > 0 ? new Response(new Uint8Array(other.tarball)) : fetch(url, init);
    const consumer = workshop.consumer();
    expect((await consumer.touchmark("npm install zinc", { fetch: fickle })).exit).toBe(0);
    expect((await consumer.touchmark("npm ci", { fetch: fickle })).exit).toBe(0); // from the cache
    expect([asked, consumer.filesWith(EVIL)]).toEqual([1, []]);
    const elsewhere = await consumer.touchmark("npm ci", { fetch: fickle, home: join(workshop.root, "another-home") });
    expect([elsewhere.exit, consumer.filesWith(EVIL)]).toEqual([1, []]);
    expect(elsewhere.text).toContain("INTEGRITY_MISMATCH");
  });
});
