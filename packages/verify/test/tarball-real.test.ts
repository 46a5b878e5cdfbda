import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { create } from "tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTarball } from "../src/tarball/read-tarball.ts";
import { PACKAGE_JSON, paxEntry, tgz } from "./tarball-builder.ts";

const CONTENT = { name: "@scope/widget", version: "1.2.3", scripts: { postinstall: "node x.js" } };
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "touchmark-tarball-"));
  const dir = join(root, "package");
  const deep = join(dir, "lib", "d".repeat(90), "e".repeat(90));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(dir, "package.json"), JSON.stringify(CONTENT));
  writeFileSync(join(dir, "index.js"), "x".repeat(200_000));
  writeFileSync(join(dir, "lib", "übung ☂.js"), "1");
  writeFileSync(join(deep, `${"f".repeat(90)}.js`), "2");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function expectRead(bytes: Buffer): Promise<void> {
  const tarball = await readTarball(bytes);
  expect(tarball.sha512).toBe(createHash("sha512").update(bytes).digest("hex"));
  expect(tarball.tarSha512).toBe(createHash("sha512").update(gunzipSync(bytes)).digest("hex"));
  expect(tarball.packageJson.name).toBe(CONTENT.name);
  expect(tarball.packageJson.version).toBe(CONTENT.version);
  expect(tarball.packageJson.scripts.get("postinstall")).toBe("node x.js");
}

describe("tarballs as they are made", () => {
  it("npm pack", async () => {
    const file = execFileSync(
      "npm",
      ["pack", "--silent", "--ignore-scripts", "--pack-destination", root, join(root, "package")],
      {
        encoding: "utf8",
        env: { ...process.env, npm_config_update_notifier: "false" },
      },
    );
    await expectRead(readFileSync(join(root, file.trim())));
  });

  it.each(["gnu", "oldgnu", "posix", "pax", "v7"])("tar --format=%s", async (format) => {
    const skipLong = format === "v7" ? [`--exclude=${"d".repeat(90)}`] : [];
    await expectRead(execFileSync("tar", ["-cz", `--format=${format}`, ...skipLong, "-C", root, "package"]));
  });

  it("tar of the current directory", async () => {
    await expectRead(execFileSync("tar", ["-cz", "-C", join(root, "package"), "."]));
  });

  it("git archive, with its global header", async () => {
    const git = (...args: string[]): Buffer =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.example", ...args], {
        cwd: join(root, "package"),
      });
    git("init", "-q");
    git("add", ".");
    git("commit", "-qm", "x");
    await expectRead(git("archive", "--format=tar.gz", "--prefix=package/", "HEAD"));
    rmSync(join(root, "package", ".git"), { recursive: true });
  });

  it("the tar package, not portable", async () => {
    const file = join(root, "plain.tgz");
    await create({ gzip: true, file, cwd: root }, ["package"]);
    await expectRead(readFileSync(file));
  });

  it("gzip with a file name, and with nothing compressed", async () => {
    const plain = execFileSync("tar", ["-c", "-C", root, "package"]);
    writeFileSync(join(root, "named.tar"), plain);
    execFileSync("gzip", ["-fN", join(root, "named.tar")]);
    await expectRead(readFileSync(join(root, "named.tar.gz")));
    await expectRead(gzipSync(plain, { level: constants.Z_NO_COMPRESSION }));
  });
});

describe("reading", () => {
  it("does not depend on how the bytes come in", async () => {
    const bytes = tgz(paxEntry({ comment: "0".repeat(40) }, "g"), PACKAGE_JSON, {
      path: "package/a",
      body: "a".repeat(1500),
    });
    const whole = await readTarball(bytes);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 20 }), async (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        expect(await readTarball(pieces)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps memory bounded while it reads 200 MB", async () => {
    const chunk = Buffer.alloc(2 ** 20, "0123456789abcdef");
    const bytes = gzipSync(
      Buffer.concat([tgzBody(200), ...Array.from({ length: 200 }, () => chunk), Buffer.alloc(1024)]),
      { level: 1 },
    );
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const watched = function* (): Generator<Buffer> {
      for (let at = 0; at < bytes.length; at += 65_536) {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        yield bytes.subarray(at, at + 65_536);
      }
    };
    await readTarball(watched(), { ratio: 1000 });
    expect(most).toBeLessThan(64 * 2 ** 20);
  });
});

function tgzBody(megabytes: number): Buffer {
  const size = `${(megabytes * 2 ** 20).toString(8).padStart(11, "0")} `;
  const parts = gunzipSync(tgz(PACKAGE_JSON, { path: "package/big", size }));
  return parts.subarray(0, parts.length - 1024);
}
