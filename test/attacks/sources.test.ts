import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Consumer } from "../support/consumer.ts";
import { packRelease } from "../support/packed.ts";
import { EVIL, openWorkshop, type Workshop } from "../support/workshop.ts";

// I5: everything that npm installs and that is no registry tarball of its own, in real installs.

let workshop: Workshop;
let packages: object;
let repository: string;
let elsewhere: Server;
let elsewhereUrl: string;

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "verdaccio" });
  packages = { pewter: { level: "strict", authority: await workshop.claim("pewter") } };
  await workshop.release({ name: "pewter", version: "1.0.0" });
  await workshop.publish(workshop.evil("pewter", "1.0.1"));
  repository = makeRepository();
  const tarball = packRelease(workshop.evil("faraway", "1.0.0")).tarball;
  elsewhere = createServer((_, response) => response.end(tarball));
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  elsewhereUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/faraway.tgz`;
});
afterEach(() => {
  expect(workshop.crimeCommitted()).toBe(false);
});
afterAll(async () => {
  elsewhere.close();
  await workshop.close();
});

function makeRepository(): string {
  const directory = join(workshop.root, "repository");
  const { manifest, files } = workshop.evil("from-git", "1.0.0");
  mkdirSync(directory);
  writeFileSync(join(directory, "package.json"), JSON.stringify({ name: "from-git", version: "1.0.0", ...manifest }));
  writeFileSync(join(directory, "index.js"), files!["index.js"]!);
  const git = (...args: string[]): void => {
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@mail.example", ...args], { cwd: directory });
  };
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "first");
  return `git+file://${directory}`;
}

async function expectStopped(consumer: Consumer, command: string, words: RegExp): Promise<void> {
  const outcome = await consumer.touchmark(command);
  expect(outcome.exit, outcome.text).not.toBe(0);
  expect(outcome.text).toMatch(words);
  expect([consumer.filesWith(EVIL), consumer.has("node_modules")]).toEqual([[], false]);
}

describe("git", () => {
  test("named on the command line, or by a package deep in the tree: nothing is cloned", async () => {
    const asked = workshop.consumer({ packages });
    await expectStopped(asked, `npm install ${repository}`, /^touchmark did not start npm:[^]*\(SOURCE_REFUSED\)/);
    await workshop.publish({ name: "gitty", version: "1.0.0", manifest: { dependencies: { "from-git": repository } } });
    // npm 11 and later refuse it themselves, earlier ones find no git.
    await expectStopped(workshop.consumer({ packages }), "npm install gitty", /EALLOWGIT|no-git-behind-the-gate/);
  });

  test("allowed by the policy, it is named; its scripts are held back until all of the tree is checked", async () => {
    const allowing = workshop.consumer({ packages, policy: { sources: { git: "allow" } } });
    const manifest = { dependencies: { "from-git": repository, pewter: "1.0.1" } };
    allowing.write("package.json", { name: "tavern", version: "1.0.0", ...manifest });
    await expectStopped(allowing, "npm install", /NOT_SIGNED/);
  });

  test("allowed, it doesn't stand in for a package with an authority", async () => {
    const allowing = workshop.consumer({ packages, policy: { sources: { git: "allow" } } });
    await expectStopped(
      allowing,
      `npm install pewter@${repository} --ignore-scripts`,
      /It is installed as pewter and is not that package|TARBALL_UNKNOWN/,
    );
  });
});

describe("a tarball at another address", () => {
  test("denied or allowed: it doesn't pass the gate, and that is said", async () => {
    const denying = workshop.consumer({ packages });
    await expectStopped(
      denying,
      `npm install ${elsewhereUrl}`,
      /The policy takes nothing from remote\. \(SOURCE_REFUSED\)/,
    );
    const allowing = workshop.consumer({ packages, policy: { sources: { remote: "allow" } } });
    await expectStopped(allowing, `npm install ${elsewhereUrl}`, /faraway\.tgz: .*\(TARBALL_UNKNOWN\)/);
  });

  test("by the shrinkwrap that a dependency brings along", async () => {
    const inner = packRelease({ name: "inner", version: "1.0.0" });
    const entries = {
      "": { name: "wrapped", version: "1.0.0" },
      "node_modules/inner": { version: "1.0.0", resolved: elsewhereUrl, integrity: inner.integrity },
    };
    const shrinkwrap = { name: "wrapped", version: "1.0.0", lockfileVersion: 3, packages: entries };
    await workshop.publish({
      name: "wrapped",
      version: "1.0.0",
      manifest: { _hasShrinkwrap: true, dependencies: { inner: "1.0.0" } },
      files: { "npm-shrinkwrap.json": JSON.stringify(shrinkwrap) },
    });
    await expectStopped(
      workshop.consumer({ packages }),
      "npm install wrapped",
      /faraway\.tgz: .*\(TARBALL_UNKNOWN\)|EALLOWREMOTE/,
    );
  });
});

describe("on disk", () => {
  test("a tarball or a folder outside is refused; a folder of the repository is the repository's own, and named", async () => {
    const consumer = workshop.consumer({ packages });
    const file = join(workshop.root, "faraway-1.0.0.tgz");
    writeFileSync(file, packRelease(workshop.evil("faraway", "1.0.0")).tarball);
    await expectStopped(consumer, `npm install ${file}`, /The policy takes nothing from file\. \(SOURCE_REFUSED\)/);
    consumer.write("package.json", { name: "tavern", version: "1.0.0", dependencies: { outside: "file:../outside" } });
    consumer.write("../outside/package.json", {
      name: "outside",
      version: "1.0.0",
      ...workshop.evil("outside", "1.0.0").manifest,
    });
    await expectStopped(
      consumer,
      "npm install",
      /It comes from \.\.\/outside, and the policy takes nothing from the disk\. \(SOURCE_REFUSED\)/,
    );
    consumer.write("package.json", { name: "tavern", version: "1.0.0", dependencies: { own: "file:./own" } });
    consumer.write("own/package.json", { name: "own", version: "1.0.0" });
    expect((await consumer.touchmark("npm install")).exit).toBe(0);
    expect((await consumer.touchmark("verify --all")).text).toContain("own  part of this repository");
  });
});

describe("bundled", () => {
  test("what a tarball brings along is named; what only the lockfile says is in it, is not installed", async () => {
    await workshop.publish({
      name: "bundler",
      version: "1.0.0",
      manifest: { dependencies: { pewter: "9.9.9" }, bundleDependencies: ["pewter"] },
      files: {
        "node_modules/pewter/package.json": '{"name":"pewter","version":"9.9.9"}',
        "node_modules/pewter/index.js": "bundled",
      },
    });
    await workshop.publish({ name: "plain", version: "1.0.0" });
    const consumer = workshop.consumer({ packages, manifest: { dependencies: { bundler: "1.0.0", plain: "1.0.0" } } });
    const outcome = await consumer.touchmark("npm install");
    expect(outcome.exit, outcome.text).toBe(0);
    expect(outcome.text).toContain("1 bundled");
    expect((await consumer.touchmark("verify --all")).text).toContain("pewter@9.9.9  inside another package's tarball");
    consumer.editLockfile((entries) => {
      Object.assign(entries["node_modules/plain"]!, {
        bundleDependencies: ["pewter"],
        dependencies: { pewter: "1.0.1" },
      });
      entries["node_modules/plain/node_modules/pewter"] = { version: "1.0.1", inBundle: true };
    });
    await consumer.touchmark("npm ci");
    expect([consumer.filesWith(EVIL), consumer.has("node_modules/plain/node_modules/pewter")]).toEqual([[], false]);
  });
});
