import { chmodSync, existsSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Consumer, LockfileText } from "../support/consumer.ts";
import { type Packed, packRelease, tarballUrl } from "../support/packed.ts";
import { EVIL, openWorkshop, type Workshop } from "../support/workshop.ts";

// What a pull request, a restored folder or a lying registry brings along beside the packages themselves.

let workshop: Workshop;
let packages: object;
let signed: Packed;
let elsewhere: Server;
let elsewherePort: number;
const asked: string[] = [];

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "verdaccio" });
  const rule = { level: "strict", authority: await workshop.claim("pewter", "hinge") };
  packages = { pewter: rule, hinge: rule };
  signed = await workshop.release({ name: "pewter", version: "1.0.0", manifest: { dependencies: { tin: "^1.0.0" } } });
  await workshop.publish({ name: "tin", version: "1.0.0" });
  await workshop.publish(workshop.evil("phantom", "1.0.0"));
  await workshop.release({
    name: "hinge",
    version: "1.0.0",
    manifest: { dependencies: { pin: "1.0.0" }, bundleDependencies: ["pin"] },
    files: { "node_modules/pin/package.json": '{"name":"pin","version":"1.0.0"}' },
  });
  const fake = { "fake/package.json": '{"name":"pewter","version":"1.0.0"}', "fake/index.js": `// ${EVIL}\n` };
  await workshop.publish({ name: "carrier", version: "1.0.0", files: fake });
  const tarball = packRelease(workshop.evil("faraway", "1.0.0")).tarball;
  elsewhere = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end(tarball);
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "localhost", resolve));
  elsewherePort = (elsewhere.address() as AddressInfo).port;
});
afterEach(() => {
  expect([asked, workshop.crimeCommitted()]).toEqual([[], false]);
});
afterAll(async () => {
  elsewhere.close();
  await workshop.close();
});

/** A project that has installed, and a lockfile to edit. */
async function installed(dependencies: object = { pewter: "^1.0.0" }): Promise<Consumer> {
  const consumer = workshop.consumer({ packages, manifest: { dependencies } });
  const outcome = await consumer.touchmark("npm install");
  expect(outcome.exit, outcome.text).toBe(0);
  return consumer;
}

async function expectBothRefuse(consumer: Consumer, exits: [number, number], words: string): Promise<void> {
  for (const [i, command] of ["verify", "npm ci"].entries()) {
    const outcome = await consumer.touchmark(command);
    expect([outcome.exit, outcome.text], command).toEqual([exits[i], expect.stringContaining(words)]);
  }
}

describe("a lockfile that npm and its reader take for two things", () => {
  test('a link that isn\'t "true": npm takes it for one, and the address of the signed tarball for a folder', async () => {
    const consumer = await installed();
    const address = tarballUrl(workshop.registry.url, signed).replace("//", "/");
    consumer.editLockfile((entries) => {
      Object.assign(entries["node_modules/pewter"]!, { link: 1 });
      entries[address] = { name: "pewter", version: "1.0.0" };
    });
    consumer.write(`${address}/package.json`, { name: "pewter", version: "1.0.0" });
    await expectBothRefuse(consumer, [2, 1], 'link of "node_modules/pewter" is neither true nor false');
  });

  test("the address of a package of the same name in somebody else's scope", async () => {
    const consumer = await installed();
    const { integrity } = await workshop.publish(workshop.evil("@evil/tin", "1.0.0"));
    const resolved = `${workshop.registry.url}@evil/tin/-/tin-1.0.0.tgz`;
    consumer.editLockfile((entries) => Object.assign(entries["node_modules/tin"]!, { resolved, integrity }));
    await expectBothRefuse(consumer, [1, 1], "Its address is that of another release");
  });

  test("a device without end in the place of a lockfile", async () => {
    const consumer = workshop.consumer({ packages });
    symlinkSync("/dev/zero", consumer.path("package-lock.json"));
    const outcome = await consumer.touchmark("npm ci");
    expect([outcome.exit, outcome.text]).toEqual([2, expect.stringContaining("[LOCKFILE_TOO_LARGE]")]);
  });
});

describe("a lockfile that says a signed package brings another one along", () => {
  test.each<[string, (entries: LockfileText["packages"]) => void]>([
    [
      "by itself",
      (entries) => {
        entries["node_modules/pewter/node_modules/tin"] = { name: "phantom", version: "1.0.0", inBundle: true };
        Object.assign(entries["node_modules/pewter"]!, { bundleDependencies: ["tin"] });
      },
    ],
    [
      "with one that it does bring along",
      (entries) => {
        entries["node_modules/hinge/node_modules/tin"] = { name: "phantom", version: "1.0.0", inBundle: true };
        Object.assign(entries["node_modules/hinge/node_modules/pin"]!, { dependencies: { tin: "1.0.0" } });
      },
    ],
  ])("%s: npm would fetch it", async (_, edit) => {
    const consumer = await installed({ pewter: "^1.0.0", hinge: "1.0.0" });
    consumer.editLockfile((entries) => edit(entries));
    const outcome = await consumer.touchmark("npm ci");
    expect([outcome.exit, outcome.text, consumer.filesWith(EVIL)]).toEqual([
      1,
      expect.stringContaining("(INSTALLED_DIFFERS)"),
      [],
    ]);
  });
});

describe("links in the repository", () => {
  test.each(["node_modules/carrier/fake", "../outside"])("a folder of its own that leads to %s", async (target) => {
    const consumer = await installed({ pewter: "^1.0.0", carrier: "1.0.0" });
    consumer.write("../outside/package.json", { name: "pewter", version: "1.0.0" });
    symlinkSync(target, consumer.path("vendor"));
    consumer.editLockfile((entries) => {
      entries["node_modules/pewter"] = { resolved: "vendor", link: true };
      entries["vendor"] = { name: "pewter", version: "1.0.0" };
    });
    await expectBothRefuse(consumer, [1, 1], "It comes from vendor, and the policy takes nothing from the disk.");
    expect(consumer.read("node_modules/pewter/index.js")).toContain("pewter 1.0.0");
  });
});

describe("planted", () => {
  test("in the node_modules of a workspace that no lockfile knows yet", async () => {
    const consumer = workshop.consumer({ packages, manifest: { workspaces: ["inn"] } });
    consumer.write("inn/package.json", { name: "inn", version: "1.0.0", dependencies: { pewter: "1.0.0" } });
    consumer.write("inn/node_modules/pewter/package.json", { name: "pewter", version: "1.0.0" });
    consumer.write("inn/node_modules/pewter/index.js", `// ${EVIL}`);
    const outcome = await consumer.touchmark("npm install");
    expect([outcome.exit, outcome.text]).toEqual([0, expect.stringContaining("signed by alice, bob")]);
    expect(consumer.filesWith(EVIL)).toEqual([]);
  });

  test("there, and a yarn.lock that lends it the signed digest", async () => {
    const consumer = workshop.consumer({ packages, manifest: { workspaces: ["inn"] } });
    consumer.write("inn/package.json", { name: "inn", version: "1.0.0", dependencies: { pewter: "1.0.0" } });
    consumer.write("inn/node_modules/pewter/package.json", { name: "pewter", version: "1.0.0" });
    consumer.write("inn/node_modules/pewter/index.js", `// ${EVIL}`);
    const lines = ["# yarn lockfile v1", "", "pewter@1.0.0:", '  version "1.0.0"'];
    const address = `  resolved "${tarballUrl(workshop.registry.url, signed)}"`;
    consumer.write("yarn.lock", [...lines, address, `  integrity ${signed.integrity}`, ""].join("\n"));
    const outcome = await consumer.touchmark("npm install");
    expect(outcome.text).not.toContain("signed by");
    // npm has its own reasons against such a yarn.lock; what lay there before is put back and nothing is said of it.
    expect([outcome.exit, consumer.has("package-lock.json"), consumer.has("touchmark.lock")]).toEqual([
      1,
      false,
      false,
    ]);
  });

  test("a program that calls itself npm, or node, where scripts find it", async () => {
    const consumer = workshop.consumer({ packages, manifest: { dependencies: { pewter: "1.0.0" } } });
    const trace = join(workshop.root, "trace");
    for (const program of ["npm", "node"]) {
      consumer.write(`node_modules/.bin/${program}`, "");
      writeFileSync(consumer.path(`node_modules/.bin/${program}`), `#!/bin/sh\ntouch ${trace}\nexit 1\n`);
      chmodSync(consumer.path(`node_modules/.bin/${program}`), 0o755);
    }
    for (const bin of ["node_modules/.bin", consumer.path("node_modules/.bin")]) {
      const PATH = `${bin}:${process.env["PATH"]}`;
      const outcome = await consumer.touchmark("npm install", { env: { PATH } });
      expect([outcome.exit, existsSync(trace)], outcome.text).toEqual([0, false]);
    }
  });
});

describe("a registry that lies about a signed package", () => {
  test.each<[string, object]>([
    ["a dependency more", { tin: "^1.0.0", phantom: "^1.0.0" }],
    ["another package for its dependency", { tin: "npm:phantom@^1.0.0" }],
  ])("%s: its holders didn't sign that", async (_, dependencies) => {
    const consumer = workshop.consumer({ packages, manifest: { dependencies: { pewter: "^1.0.0" } } });
    const lie: Consumer["fetch"] = async (url, init) => {
      const response = await fetch(url, init);
      if (!url.endsWith("/pewter")) return response;
      const document = (await response.json()) as { versions: Record<string, { dependencies?: object }> };
      document.versions["1.0.0"]!.dependencies = dependencies;
      return new Response(JSON.stringify(document));
    };
    const outcome = await consumer.touchmark("npm install", { fetch: lie });
    expect([outcome.exit, outcome.text]).toEqual([
      1,
      expect.stringMatching(
        /node_modules\/pewter: The registry or the lockfile makes it depend on .*phantom.*\(INSTALLED_DIFFERS\)/,
      ),
    ]);
    expect([consumer.filesWith(EVIL), consumer.has("node_modules"), consumer.has("package-lock.json")]).toEqual([
      [],
      false,
      false,
    ]);
  });

  test("an address whose path is a host: npm doesn't get past the gate, even where the policy allows other addresses", async () => {
    const faraway = `http://registry.example//localhost:${elsewherePort}/faraway.tgz`;
    const policy = { sources: { remote: "allow" } };
    const consumer = workshop.consumer({ packages, policy, manifest: { dependencies: { faraway } } });
    const outcome = await consumer.touchmark("npm install");
    expect([outcome.exit, outcome.text]).toEqual([1, expect.stringContaining("(REQUEST_REFUSED)")]);
    expect([consumer.filesWith(EVIL), consumer.has("node_modules")]).toEqual([[], false]);
  });
});

describe("two at once, and none in earnest", () => {
  test("a second install in the same project waits for nobody and touches nothing", async () => {
    const consumer = workshop.consumer({ packages, manifest: { dependencies: { pewter: "1.0.0" } } });
    let second: Promise<unknown> | undefined;
    const interrupting: Consumer["fetch"] = async (url, init) => {
      second ??= consumer.touchmark("npm ci").then(({ exit, text }) => [exit, text]);
      await second;
      return fetch(url, init);
    };
    const first = await consumer.touchmark("npm install", { fetch: interrupting });
    expect([first.exit, await second]).toEqual([
      0,
      [3, expect.stringMatching(/^error: Another touchmark npm, process \d+, .*\[PROJECT_BUSY\]\nhint: Wait/)],
    ]);
    expect((await consumer.touchmark("npm ci")).exit).toBe(0);
  });

  test("in a workspace's folder, where another touchmark.lock could lie, nothing starts", async () => {
    const consumer = workshop.consumer({ packages, manifest: { workspaces: ["inn"] } });
    consumer.write("inn/package.json", { name: "inn", version: "1.0.0", dependencies: { pewter: "1.0.0" } });
    const directory = consumer.path("inn");
    const outcome = await consumer.touchmark("--policy ../touchmark.json npm install", { directory });
    expect([outcome.exit, outcome.text]).toEqual([
      2,
      expect.stringMatching(
        /^error: This folder is a workspace.*\[NPM_SETTING\]\nhint: Run it in the project's own folder/,
      ),
    ]);
    expect([consumer.has("inn/touchmark.lock"), consumer.has("node_modules")]).toEqual([false, false]);
  });

  test("a dry run that only npm's settings ask for moves no pin", async () => {
    const consumer = await installed();
    consumer.remove("touchmark.lock");
    consumer.write(".npmrc", "dry-run=true\n");
    const outcome = await consumer.touchmark("npm install carrier");
    expect([outcome.exit, consumer.has("touchmark.lock"), consumer.has("node_modules/carrier")]).toEqual([
      0,
      false,
      false,
    ]);
  });

  test("--package-lock-only, refused, leaves node_modules alone", async () => {
    const consumer = await installed();
    consumer.editLockfile(({ "node_modules/pewter": pewter }) =>
      Object.assign(pewter!, { integrity: `sha512-${Buffer.alloc(64, 1).toString("base64")}` }),
    );
    const outcome = await consumer.touchmark("npm install carrier --package-lock-only");
    expect([outcome.exit, consumer.has("node_modules/pewter/index.js")], outcome.text).toEqual([1, true]);
  });
});
