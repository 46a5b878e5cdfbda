import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeVerifierKey, noteSigner } from "@touchmark/log";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packRelease } from "../../../test/support/packed.ts";
import { type Outcome, type Place, runTouchmark } from "../../../test/support/touchmark.ts";

// A monorepo at the limit of [C-15]: 500 packages with the longest names that npm takes.

const MOST = 500;
let place: Place;
const touchmark = (argv: readonly string[]): Promise<Outcome> => runTouchmark(argv, place);
const files = Array.from({ length: MOST + 1 }, (_, i) => `p${i}.tgz`);

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-many-"));
  place = { directory, home: join(directory, "home") };
  const signer = noteSigner("log.example/main", new Uint8Array(32).fill(7));
  const log = { url: "https://log.example/", origin: "log.example/main", key: encodeVerifierKey(signer.key) };
  const policy = { version: 1, registries: { npmjs: ["https://registry.example/"] }, log };
  writeFileSync(join(directory, "touchmark.json"), JSON.stringify(policy));
  for (const [i, file] of files.entries()) {
    const name = `@${"s".repeat(106)}/${`${i}`.padStart(106, "n")}`;
    writeFileSync(join(directory, file), packRelease({ name, version: `1.0.0-${"a".repeat(200)}` }).tarball);
  }
  expect((await touchmark(["key", "enroll", "--holder", "alice", "--device", "soft:a.soft"])).exit).toBe(0);
});
afterAll(() => rmSync(place.directory, { recursive: true }));

test("500 tarballs are one statement, one touch, and the same again for the next signer's machine", async () => {
  const release = files.slice(0, MOST);
  const signed = await touchmark(["sign", ...release, "--out", "all.touchmark", "--yes", "--json"]);
  expect(signed.exit, signed.text.slice(-500)).toBe(0);
  expect(signed.stderr.match(/^touch .* now$/gm)).toHaveLength(1);
  expect(signed.stderr.match(/^ {2}npm:npmjs\/@/gm)).toHaveLength(MOST);
  const { statement } = JSON.parse(signed.stdout) as { statement: string };
  const again = await touchmark(["sign", "all.touchmark", "--expect", statement, "--yes"]);
  expect([again.exit, again.stdout]).toEqual([0, expect.stringContaining("is signed by alice already")]);
  const other = await touchmark(["sign", "all.touchmark", "--expect", `sha256:${"0".repeat(64)}`, "--yes"]);
  expect([other.exit, other.stderr]).toEqual([1, expect.stringContaining("[OTHER_STATEMENT]")]);
});

test("one more is refused before anything is read", async () => {
  const { exit, stderr } = await touchmark(["sign", ...files, "--out", "more.touchmark", "--yes"]);
  expect(exit).toBe(2);
  expect(stderr).toContain("[USAGE]");
});
