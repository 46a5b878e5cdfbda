import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { proofChecker } from "../src/registry/claim-proof.ts";
import { type Registry, startRegistry } from "./support/registry.ts";
import { packPackage } from "./support/tarball.ts";

const DAY = 86_400;
const NOW = 1_795_000_000;
const AUTHORITY = `sha256:${"a".repeat(64)}`;
const proved = packPackage("widget", "1.0.1", undefined, { touchmark: { authority: AUTHORITY } });
const proof = {
  packageId: "npm:npmjs/widget",
  authority: AUTHORITY,
  version: "1.0.1",
  sha512: createHash("sha512").update(proved.tarball).digest("hex"),
  claimed: NOW,
};
let registry: Registry;

beforeEach(async () => {
  registry = await startRegistry(() => 0);
});
afterEach(() => registry.close());

describe("[A-5] proof (a) is looked up in the registry", () => {
  test("a version whose package.json names the authority", async () => {
    registry.publish(proved, NOW - 7 * DAY);
    expect(await check()).toEqual({ kind: "good" });
  });

  test("published by who could publish once", async () => {
    registry.publish(proved, NOW - 7 * DAY - 1);
    expect(await check()).toMatchObject({ kind: "wrong", message: expect.stringContaining("too long before") });
  });

  test("other bytes, another authority, no authority, no tarball", async () => {
    registry.publish(proved, NOW);
    registry.publish(packPackage("widget", "1.0.2"), NOW);
    expect(await check({ sha512: "0".repeat(128) })).toMatchObject({ kind: "wrong" });
    expect(await check({ authority: `sha256:${"b".repeat(64)}` })).toMatchObject({ kind: "wrong" });
    const plain = createHash("sha512").update(packPackage("widget", "1.0.2").tarball).digest("hex");
    expect(await check({ version: "1.0.2", sha512: plain })).toMatchObject({ kind: "wrong" });
    registry.answer("widget/-/widget-1.0.1.tgz", 200, "no tarball");
    const broken = createHash("sha512").update("no tarball").digest("hex");
    expect(await check({ sha512: broken })).toMatchObject({ kind: "wrong" });
  });

  test("what could not be looked at is not known: no registry, no version, no answer, rubbish", async () => {
    expect(await check({ packageId: "npm:other/widget" })).toMatchObject({ kind: "unasked" });
    expect(await check()).toMatchObject({ kind: "unknown" });
    registry.publish(proved, NOW);
    expect(await check({ version: "9.9.9" })).toMatchObject({ kind: "unknown" });
    registry.answer("widget", 500, "{}");
    expect(await check()).toMatchObject({ kind: "unknown" });
    registry.answer("widget", 200, '{"versions":{"1.0.1":{}},"versions":{}}');
    expect(await check()).toMatchObject({ kind: "unknown" });
  });

  test("a version that was published in time and unpublished since is gone; one that never was, or too early, is not known", async () => {
    const time = {
      "1.0.1": new Date(NOW * 1000).toISOString(),
      "0.9.0": new Date((NOW - 8 * DAY) * 1000).toISOString(),
    };
    registry.answer("widget", 200, JSON.stringify({ name: "widget", time, versions: {} }));
    expect(await check()).toMatchObject({ kind: "gone" });
    expect(await check({ version: "0.9.0" })).toMatchObject({ kind: "unknown" });
    expect(await check({ version: "2.0.0" })).toMatchObject({ kind: "unknown" });
  });

  test("a tarball at another address is not asked for", async () => {
    const dist = { tarball: "https://elsewhere.example/widget-1.0.1.tgz" };
    const time = { "1.0.1": new Date(NOW * 1000).toISOString() };
    registry.answer("widget", 200, JSON.stringify({ name: "widget", time, versions: { "1.0.1": { dist } } }));
    expect(await check()).toMatchObject({ kind: "wrong", message: expect.stringContaining("another address") });
  });
});

function check(changes: Partial<typeof proof> = {}): Promise<unknown> {
  const registries = new Map([["npmjs", new URL(registry.url)]]);
  return proofChecker(registries, { fetch, signal: new AbortController().signal })!({ ...proof, ...changes });
}
