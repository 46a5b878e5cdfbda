import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Consumer, ConsumerWish } from "../support/consumer.ts";
import { EVIL, openWorkshop, type Workshop } from "../support/workshop.ts";

// What lies in the project, or stands on the command line, and would lead npm past the gate.

let workshop: Workshop;
let packages: object;
/** Somebody else's registry, which hopes to be asked. */
let trap: Server;
let trapUrl: string;
const trapped: string[] = [];

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "verdaccio" });
  const authority = await workshop.claim("pewter");
  packages = { pewter: { level: "strict", authority } };
  await workshop.release({ name: "pewter", version: "1.0.0" });
  await workshop.publish(workshop.evil("pewter", "1.0.1"));
  await workshop.publish(workshop.evil("pewterr", "1.0.0"));
  await workshop.publish({ name: "mid", version: "1.0.0", manifest: { dependencies: { pewter: "^1.0.0" } } });
  trap = createServer((request, response) => {
    trapped.push(request.url ?? "");
    response.end("{}");
  });
  await new Promise<void>((resolve) => trap.listen(0, "127.0.0.1", resolve));
  trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/`;
});
afterEach(() => {
  expect([trapped, workshop.crimeCommitted()]).toEqual([[], false]);
});
afterAll(async () => {
  trap.close();
  await workshop.close();
});

function open(wish: ConsumerWish = {}): Consumer {
  return workshop.consumer({ packages, ...wish });
}

describe("arguments", () => {
  test.each([
    "install --registry=https://evil.example/",
    "install --@guild:registry=https://evil.example/",
    "ci --cache elsewhere",
    "ci --userconfig=evil.npmrc",
    "install --prefix ..",
    "install -g pewter",
    "ci --script-shell=./evil.sh",
    "ci --replace-registry-host=never",
    "ci --regis https://evil.example/",
    "exec pewter",
    "rebuild",
    "run build",
  ])("npm %s", async (command) => {
    const outcome = await open().touchmark(`npm ${command}`);
    expect(outcome.exit).toBe(2);
    expect(outcome.text).toMatch(/^error: npm.* \[NPM_ARGUMENT\]\nhint: /);
  });

  test("--ignore-scripts=false asks for scripts of what was accepted, and of nothing else", async () => {
    const consumer = open();
    const refused = await consumer.touchmark("npm install pewter@1.0.1 --ignore-scripts=false --foreground-scripts");
    expect([refused.exit, consumer.has("node_modules/pewter")]).toEqual([1, false]);
    expect(refused.text).toContain("NOT_SIGNED");
  });
});

describe("npm's settings", () => {
  test("in the project: what would go around the gate is overridden", async () => {
    const consumer = open({ manifest: { dependencies: { pewter: "1.0.1" } } });
    const lines = [
      "ignore-scripts=false",
      "script-shell=./evil.sh",
      "cache=./evil-cache",
      "replace-registry-host=never",
    ];
    consumer.write(".npmrc", [...lines, "fetch-retries=5", "git=./evil.sh", ""].join("\n"));
    const outcome = await consumer.touchmark("npm install");
    expect(outcome.exit).toBe(1);
    expect(outcome.text).toContain("NOT_SIGNED");
    expect(["evil-cache", "node_modules", "package-lock.json"].filter((file) => consumer.has(file))).toEqual([]);
  });

  test.each(["@guild", "@old_guild", "@Guild"])(
    "a registry of its own for %s, which the policy doesn't know",
    async (scope) => {
      const consumer = open();
      consumer.write(".npmrc", `${scope}:registry=${trapUrl}\n`);
      const outcome = await consumer.touchmark(`npm install ${scope}/pewter`);
      expect(outcome.exit).toBe(1);
      expect(outcome.text).toContain(
        `The registry of the scope of ${scope}/pewter is not in the policy. (REGISTRY_UNKNOWN)`,
      );
    },
  );

  test("another registry, in a file or in the environment, and what can't be checked, stop it", async () => {
    const consumer = open();
    consumer.write(".npmrc", "install-strategy=linked\n");
    const linked = await consumer.touchmark("npm install pewter");
    const other = await open().touchmark("npm install pewter", { env: { npm_config_registry: trapUrl } });
    expect([linked.exit, other.exit]).toEqual([2, 2]);
    expect(other.text).toMatch(
      /^error: npm's registry .* is not in the policy\. \[NPM_SETTING\]\nhint: Add its address/,
    );
  });

  test("a lockfile in a form that says less is refused before any script", async () => {
    const consumer = open({ manifest: { dependencies: { pewter: "1.0.0" } } });
    consumer.write(".npmrc", "lockfile-version=1\n");
    const outcome = await consumer.touchmark("npm install");
    expect(outcome.exit).toBe(1);
    expect(outcome.text).toContain("LOCKFILE_VERSION");
    expect([consumer.has("node_modules"), consumer.has("package-lock.json")]).toEqual([false, false]);
  });
});

describe("another package in the place of a signed one", () => {
  const sentence =
    "It is installed as pewter and is not that package, for which the policy names an authority. (SOURCE_REFUSED)";

  test.each<[string, object, string]>([
    ["by an override", { dependencies: { mid: "1.0.0" }, overrides: { pewter: "npm:pewterr@1.0.0" } }, "npm install"],
    ["by an alias", {}, "npm install pewter@npm:pewterr@1.0.0"],
  ])("%s", async (_, manifest, command) => {
    const consumer = open({ manifest });
    const outcome = await consumer.touchmark(command);
    expect(outcome.exit).toBe(1);
    expect(outcome.text).toContain(`pewterr@1.0.0: ${sentence}`);
    expect([consumer.filesWith(EVIL), consumer.has("node_modules")]).toEqual([[], false]);
  });
});

describe("what lies in node_modules before", () => {
  test("counts for nothing: neither planted packages nor changed ones outlive an install", async () => {
    const consumer = open({ manifest: { workspaces: ["inn"], dependencies: { pewter: "^1.0.0" } } });
    consumer.write("inn/package.json", { name: "inn", version: "1.0.0", dependencies: { pewter: "^1.0.0" } });
    expect((await consumer.touchmark("npm install")).exit).toBe(0);
    const { manifest } = workshop.evil("pewter", "1.0.0");
    const planted = { ...manifest, name: "pewter", version: "1.0.0" };
    for (const command of ["npm install", "npm ci"]) {
      for (const place of ["pewter", "planted", ".bin", "pewter/node_modules/deep", "../inn/node_modules/pewter"]) {
        consumer.write(`node_modules/${place}/package.json`, planted);
        consumer.write(`node_modules/${place}/index.js`, EVIL);
      }
      const outcome = await consumer.touchmark(command);
      expect(outcome.exit, outcome.text).toBe(0);
      expect(consumer.filesWith(EVIL), command).toEqual([]);
      expect(consumer.read("node_modules/pewter/index.js")).toContain("pewter 1.0.0");
    }
  });

  test("is there again when npm fails", async () => {
    const consumer = open();
    consumer.write("node_modules/mine/package.json", "{}");
    expect((await consumer.touchmark("npm install pewter@1.0.1")).exit).toBe(1);
    expect(consumer.read("node_modules/mine/package.json")).toBe("{}");
  });

  test("is there again after Ctrl-C in the middle of an install", async () => {
    const consumer = open({ manifest: { dependencies: { pewter: "1.0.0" } } });
    consumer.write("node_modules/mine/package.json", "{}");
    const stop = new AbortController();
    const interrupted: Consumer["fetch"] = async (url, init) => {
      if (url.endsWith(".tgz")) stop.abort();
      return fetch(url, init);
    };
    const outcome = await consumer.touchmark("npm install", { fetch: interrupted, signal: stop.signal });
    expect([outcome.exit, outcome.text]).toEqual([4, expect.stringMatching(/error: Cancelled\. \[CANCELLED\]\n$/)]);
    expect(readdirSync(consumer.directory).toSorted()).toEqual(["node_modules", "package.json", "touchmark.json"]);
    expect(readdirSync(consumer.path("node_modules"))).toEqual(["mine"]);
  });

  test("Ctrl-C in a script: what was accepted before is whole, touchmark.lock too", async () => {
    const stop = new AbortController();
    const preinstall = `node -e "console.log('begun'); setTimeout(() => {}, 60000)"`;
    const consumer = open({ manifest: { dependencies: { pewter: "1.0.0" }, scripts: { preinstall } } });
    const onPrint = (text: string): void => {
      if (/^begun/m.test(text)) stop.abort();
    };
    const outcome = await consumer.touchmark("npm install", { signal: stop.signal, onPrint });
    expect([outcome.exit, outcome.text]).toEqual([4, expect.stringContaining("[CANCELLED]")]);
    expect(["package-lock.json", "touchmark.lock", "node_modules/pewter"].map((file) => consumer.has(file))).toEqual([
      true,
      true,
      true,
    ]);
    expect((await consumer.touchmark("verify")).exit).toBe(0);
  });

  test("can't pass for what was resolved, where there is no lockfile", async () => {
    const consumer = open({ manifest: { dependencies: { pewter: "^1.0.0" } } });
    const resolved = `${workshop.registry.url}pewter/-/pewter-1.0.1.tgz`;
    consumer.write("node_modules/pewter/package.json", { name: "pewter", version: "1.0.1", ["_resolved"]: resolved });
    consumer.write("node_modules/pewter/index.js", EVIL);
    const outcome = await consumer.touchmark("npm install");
    expect(outcome.exit, outcome.text).toBe(0);
    expect([consumer.filesWith(EVIL), consumer.lockfile().packages["node_modules/pewter"]!["version"]]).toEqual([
      [],
      "1.0.0",
    ]);
  });
});

describe("files that are changed or are not what they seem", () => {
  test("a lockfile that is swapped between its check and npm is found out before any script", async () => {
    await workshop.publish({ name: "tin", version: "1.0.0" });
    const consumer = open({ manifest: { dependencies: { tin: "*" } } });
    expect((await consumer.touchmark("npm install --package-lock-only")).exit).toBe(0);
    const evil = await workshop.publish(workshop.evil("tin", "2.0.0"));
    const swap: Consumer["fetch"] = async (url, init) => {
      const response = await fetch(url, init);
      if (!url.endsWith("/evidence")) return response;
      const text = await response.text();
      consumer.editLockfile(({ "node_modules/tin": tin }) =>
        Object.assign(tin!, {
          version: "2.0.0",
          resolved: `${workshop.registry.url}tin/-/tin-2.0.0.tgz`,
          integrity: evil.integrity,
          hasInstallScript: true,
        }),
      );
      return new Response(text);
    };
    const outcome = await consumer.touchmark("npm ci", { fetch: swap });
    expect(outcome.exit, outcome.text).toBe(1);
    expect(outcome.text).toContain(
      "node_modules/tin: npm installed another version than the lockfile's. (INSTALLED_DIFFERS)",
    );
    expect([consumer.filesWith(EVIL), consumer.has("node_modules")]).toEqual([[], false]);
  });

  test("a lockfile with a bad entry is not let through by installing something beside it", async () => {
    await workshop.publish({ name: "zinc", version: "1.0.0" });
    const consumer = open({ manifest: { dependencies: { pewter: "^1.0.0" } } });
    expect((await consumer.touchmark("npm install --package-lock-only")).exit).toBe(0);
    const integrity = `sha512-${Buffer.alloc(64, 1).toString("base64")}`;
    consumer.editLockfile(({ "node_modules/pewter": pewter }) => Object.assign(pewter!, { integrity }));
    const edited = consumer.read("package-lock.json");
    for (const command of ["npm install zinc", "npm install zinc --package-lock-only"]) {
      const outcome = await consumer.touchmark(command);
      expect([outcome.exit, outcome.text]).toEqual([
        1,
        expect.stringMatching(/pewter@1\.0\.0.*\((?:INTEGRITY_MISMATCH|WRONG_DIGEST)\)/),
      ]);
      expect([consumer.read("package-lock.json"), consumer.has("node_modules")]).toEqual([edited, false]);
    }
  });

  test("links in the place of our files: nothing is written where they lead", async () => {
    const consumer = open({ manifest: { dependencies: { pewter: "1.0.0" } } });
    const victims = join(workshop.root, "victims");
    mkdirSync(victims);
    const [shellrc, absent] = [join(victims, "shellrc"), join(victims, "absent")];
    writeFileSync(shellrc, "export PATH\n");
    symlinkSync(shellrc, consumer.path("package-lock.json"));
    const outcome = await consumer.touchmark("npm install");
    expect([outcome.exit, outcome.text]).toEqual([1, expect.stringContaining("LOCKFILE_MALFORMED")]);
    consumer.remove("package-lock.json");
    symlinkSync(absent, consumer.path("touchmark.lock"));
    expect((await consumer.touchmark("npm install")).exit).toBe(0);
    expect([existsSync(absent), consumer.read("touchmark.lock")?.slice(0, 30)]).toEqual([
      false,
      '{\n"format":"touchmark-lock/v1"',
    ]);
  });

  test("without a policy there is nothing to go by, and npm is not started", async () => {
    const consumer = open({ manifest: { dependencies: { pewter: "1.0.1" } } });
    consumer.remove("touchmark.json");
    for (const command of ["npm install", "npm ci", "verify"]) {
      const outcome = await consumer.touchmark(command);
      expect([outcome.exit, outcome.text], command).toEqual([
        2,
        expect.stringMatching(/^error: There is no policy: .*\[POLICY_MISSING\]\nhint: /),
      ]);
    }
    expect(consumer.has("node_modules")).toBe(false);
  });
});
