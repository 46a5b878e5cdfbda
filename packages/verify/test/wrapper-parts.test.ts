import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VerifyError } from "../src/errors.ts";
import { encodeIntegrity } from "../src/npm/integrity.ts";
import { compareInstalled } from "../src/npm/installed-tree.ts";
import { scriptCommands } from "../src/npm/lifecycle.ts";
import { parseLockfile, type Lockfile } from "../src/npm/lockfile.ts";
import { parseNpmArguments, sourceOfSpec } from "../src/npm/npm-arguments.ts";
import { findNpm, runProcess } from "../src/npm/npm-process.ts";
import { readNpmSettings } from "../src/npm/npm-settings.ts";
import { credentialsFor } from "../src/npm/npmrc-credentials.ts";
import { keepProjectFiles, readLockfile } from "../src/npm/project-files.ts";
import { refusalTable } from "../src/npm/refusal-table.ts";
import { registryMatcher } from "../src/npm/registry-address.ts";
import { cleanNpmEnv } from "../../../test/support/npm-env.ts";

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "touchmark-parts-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content: string | object): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

function lock(packages: object): Lockfile {
  return parseLockfile(
    Buffer.from(JSON.stringify({ lockfileVersion: 3, packages })),
    registryMatcher({ main: ["https://registry.example/"] }),
  );
}

describe("npm's command line", () => {
  it("is understood and written anew", () => {
    const args = parseNpmArguments([
      "i",
      "-DE",
      "--omit",
      "dev",
      "--no-audit",
      "a@1",
      "--save=false",
      "--include=peer",
      "-w",
      "ws",
      "--silent",
      "--",
      "--b",
    ]);
    expect(args).toMatchObject({
      command: "install",
      specs: ["a@1", "--b"],
      ignoreScripts: undefined,
      packageLockOnly: undefined,
      dryRun: undefined,
    });
    expect(args.options).toEqual([
      "--save-dev=true",
      "--save-exact=true",
      "--omit=dev",
      "--audit=false",
      "--save=false",
      "--include=peer",
      "--workspace=ws",
      "--loglevel=silent",
    ]);
    expect(parseNpmArguments(["ci", "--ignore-scripts", "false"])).toMatchObject({ ignoreScripts: false, specs: [] });
    expect(parseNpmArguments(["ci", "--ignore-scripts=false", "--ignore-scripts"]).ignoreScripts).toBe(true);
  });

  it.each([
    "publish",
    "exec",
    "",
    "__proto__",
    "ci --registry=https://e.example/",
    "ci --regist https://e.example/",
    "ci --@s:registry=https://e.example/",
    "ci --cache x",
    "ci --userconfig x",
    "ci --globalconfig=x",
    "ci -g",
    "ci --global",
    "ci --location=global",
    "ci --prefix x",
    "ci -C x",
    "ci --script-shell=x",
    "ci --replace-registry-host=never",
    "ci --git=x",
    "ci --allow-git=all",
    "ci --proxy=x",
    "ci --noproxy=x",
    "ci --node-options=x",
    "ci --no-ignore-script",
    "ci --omit",
    "ci --omit --force",
    "ci --force=maybe",
    "ci --install-strategy=linked",
    "ci --//registry.example/:_authToken=x",
    "ci --no-registry",
    "ci -xf",
    "ci --constructor",
  ])("npm %s is refused", (line) => {
    expect(() => parseNpmArguments(line.split(" "))).toThrow(VerifyError);
  });

  it.each([
    ["a", "registry"],
    ["@s/a", "registry"],
    ["a@^1.0.0 || 2", "registry"],
    ["@s/a@next", "registry"],
    ["x@npm:@s/a@1", "registry"],
    ["a/b", "git"],
    ["github:a/b", "git"],
    ["git+https://h.example/x", "git"],
    ["https://h.example/x.git", "git"],
    ["x@git@h.example:a/b.git", "git"],
    ["x@a/b", "git"],
    ["https://h.example/x.tgz", "remote"],
    ["x@http://h.example/x", "remote"],
    [".", "file"],
    ["../a", "file"],
    ["/a", "file"],
    ["~/a", "file"],
    ["C:\\a", "file"],
    ["file:a", "file"],
    ["x@file:a", "file"],
    ["a.tgz", "file"],
    ["b/a.tar.gz", "file"],
  ])("%s comes from %s", (spec, source) => {
    expect(sourceOfSpec(spec)).toBe(source);
  });
});

describe("the installed tree", () => {
  const entry = (name: string, more: object = {}): object => ({
    version: "1.0.0",
    resolved: `https://registry.example/${name}/-/${name}-1.0.0.tgz`,
    integrity: encodeIntegrity("aa".repeat(64)),
    ...more,
  });

  function reasons(installed: object, verified: object): string[] {
    const project = join(root, "tree");
    return compareInstalled(project, lock(installed), lock(verified)).map(({ path, reason }) => `${path}: ${reason}`);
  }

  it("must be the verified one", () => {
    put("tree/node_modules/a/package.json", { name: "a", version: "v1.0.0" });
    put("tree/node_modules/.cache/x", "");
    put("tree/node_modules/plain/x", "");
    const a = { "node_modules/a": entry("a") };
    expect(reasons(a, { ...a, "node_modules/b": entry("b", { optional: true }) })).toEqual([]);
    expect(reasons(a, {})).toEqual([
      "node_modules/a: npm installed it, and the lockfile doesn't have it.",
      "node_modules/a: It lies in node_modules, and the lockfile doesn't have it.",
    ]);
    expect(reasons(a, { "node_modules/a": entry("a", { version: "1.0.1" }) })[0]).toContain("another version");
    expect(reasons(a, { "node_modules/a": entry("a", { name: "b" }) })[0]).toContain("another version");
    expect(reasons(a, { "node_modules/a": entry("a", { integrity: encodeIntegrity("bb".repeat(64)) }) })[0]).toContain(
      "another digest",
    );
    expect(reasons(a, { "node_modules/a": entry("a", { integrity: undefined }) })[0]).toContain("another digest");
    expect(reasons(a, { "node_modules/a": entry("a", { resolved: "file:a.tgz" }) })[0]).toContain(
      "another kind of source",
    );
  });

  it("is looked at on disk as well", () => {
    const both = { "node_modules/a": entry("a"), "node_modules/@s/b": entry("@s/b") };
    expect(reasons(both, both)).toEqual(["node_modules/@s/b: npm installed it, and it isn't there."]);
    put("tree/node_modules/@s/b/package.json", { name: "@s/b", version: "2.0.0" });
    put("tree/node_modules/@s/planted/package.json", {});
    expect(reasons(both, both)).toEqual([
      "node_modules/@s/b: What lies there is another package than the lockfile's.",
      "node_modules/@s/planted: It lies in node_modules, and the lockfile doesn't have it.",
    ]);
    put("tree/node_modules/@s/b/package.json", "{");
    symlinkSync(root, join(root, "tree/node_modules/@s/planted2"));
    expect(reasons(both, both).map((line) => line.split(":")[0])).toEqual([
      "node_modules/@s/b",
      "node_modules/@s/planted",
      "node_modules/@s/planted2",
    ]);
  });
});

describe("scripts", () => {
  it("are those of packages that have some, then the project's", () => {
    const file = put("scripts/package.json", {
      scripts: { install: "x", postinstall: "x", prepublish: "x", postprepare: "x", test: "x" },
    });
    const installed = lock({
      "node_modules/a": { version: "1.0.0", hasInstallScript: true },
      "node_modules/b/node_modules/@s/c": { version: "2.0.0", hasInstallScript: true },
      "node_modules/d": { version: "1.0.0" },
      "node_modules/ws": { resolved: "packages/ws", link: true },
      "packages/ws": { version: "1.0.0" },
    });
    const commands = scriptCommands(parseNpmArguments(["ci", "--silent", "--omit=dev"]), dirname(file), installed);
    expect(commands.map((command) => command.join(" "))).toEqual([
      "rebuild --loglevel=silent --omit=dev -- a@1.0.0 @s/c@2.0.0 ws",
      "run install --loglevel=silent",
      "run prepublish --loglevel=silent",
      "run postprepare --loglevel=silent",
    ]);
    expect(scriptCommands(parseNpmArguments(["install", "x"]), dirname(file), lock({}))).toEqual([]);
  });
});

describe("npmrc credentials", () => {
  const url = new URL("https://corp.example:8443/npm/private/");

  it("go by the longest path, then by file", () => {
    const first = put(
      "first.npmrc",
      "; //corp.example:8443/npm/private/:_authToken=comment\n//corp.example:8443/npm/:_authToken=${TOKEN}\n",
    );
    const second = put(
      "second.npmrc",
      '//corp.example:8443/npm/private/:username = me\n//corp.example:8443/npm/private/:_password="c2VjcmV0"\n//corp.example:8443/npm/:_authToken=later\n',
    );
    const basic = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    expect(credentialsFor(url, [first, second, join(root, "none")], { TOKEN: "t" })).toBe(basic);
    expect(credentialsFor(url, [first], { TOKEN: "t" })).toBe("Bearer t");
    expect(credentialsFor(url, [first], { "npm_config_//corp.example:8443/:_auth": "env", TOKEN: "t" })).toBe(
      "Bearer t",
    );
    expect(
      credentialsFor(new URL("https://corp.example:8443/"), [first], {
        "npm_config_//corp.example:8443/:_auth": "env",
      }),
    ).toBe("Basic env");
  });

  it("go to no other host, port or path", () => {
    const file = put("third.npmrc", "//corp.example:8443/npm/:_authToken=t # mine\n");
    for (const other of [
      "https://corp.example/npm/",
      "https://corp.example.evil.example:8443/npm/",
      "https://corp.example:8443/npmx/",
      "https://corp.example:8443/",
    ]) {
      expect(credentialsFor(new URL(other), [file], {}), other).toBeUndefined();
    }
    expect(credentialsFor(url, [file], {})).toBe("Bearer t");
  });
});

describe("npm's settings", () => {
  it.each([
    ["global=true", "globally"],
    ["location=global", "globally"],
    ["install-strategy=linked", "linked"],
  ])("%s stops it", async (setting, word) => {
    const home = mkdtempSync(join(root, "settings-"));
    writeFileSync(join(home, "user.npmrc"), `${setting}\n`);
    await expect(readNpmSettings(findNpm(process.env), home, cleanNpmEnv(home))).rejects.toThrow(word);
  });

  it("that change what a run does are known", async () => {
    const home = mkdtempSync(join(root, "settings-"));
    writeFileSync(join(home, "user.npmrc"), "dry-run=true\npackage-lock-only=true\nignore-scripts=true\n");
    const settings = await readNpmSettings(findNpm(process.env), home, cleanNpmEnv(home));
    expect(settings).toMatchObject({ dryRun: true, packageLockOnly: true, ignoreScripts: true, packageLock: true });
  });
});

describe("a process", () => {
  it("is ended by its signal", async () => {
    const stop = new AbortController();
    const program = { file: process.execPath, args: ["-e", "console.log(1); setTimeout(() => {}, 60000)"] };
    const nothing = (): void => undefined;
    const code = await runProcess(program, {
      args: [],
      cwd: root,
      env: {},
      stdout: () => stop.abort(),
      stderr: nothing,
      signal: stop.signal,
    });
    expect(code).toBe(1);
  });

  it("that can't be started is said to be so", async () => {
    const nothing = (): void => undefined;
    const missing = runProcess(
      { file: join(root, "none"), args: [] },
      { args: [], cwd: root, env: {}, stdout: nothing, stderr: nothing },
    );
    await expect(missing).rejects.toMatchObject({ code: "NPM_UNAVAILABLE" });
  });
});

describe("files", () => {
  it("are put back as they were", () => {
    put("files/package.json", "{}");
    put("files/package-lock.json", "old");
    const kept = keepProjectFiles(join(root, "files"), ["packages/ws"]);
    expect(kept.restore()).toEqual([]);
    put("files/package-lock.json", "new");
    put("files/npm-shrinkwrap.json", "new");
    expect(readLockfile(join(root, "files"))?.name).toBe("npm-shrinkwrap.json");
    expect(kept.restore()).toEqual(["npm-shrinkwrap.json", "package-lock.json"]);
    expect(readLockfile(join(root, "files"))).toMatchObject({ name: "package-lock.json", bytes: Buffer.from("old") });
  });

  it("npm is found on the PATH, or said to be missing", () => {
    const npm = put("bin/npm", "#!/bin/sh\n");
    chmodSync(npm, 0o755);
    expect(findNpm({ PATH: `/nowhere:${dirname(npm)}` }, undefined, "linux")).toEqual({ file: npm, args: [] });
    expect(() => findNpm({ PATH: "/nowhere" }, undefined, "linux")).toThrow("npm was not found.");
    expect(() => findNpm({}, join(root, "none.js"))).toThrow("npm was not found.");
  });
});

describe("the table", () => {
  it("is short: newest first, three of a package", () => {
    const refusals = ["1.0.0", "1.0.2", "1.0.10", "1.0.1"].map((version) => ({
      what: "version" as const,
      name: "a",
      version,
      code: "X",
      reason: "Why.",
      hint: "",
      unchecked: false,
    }));
    expect(refusalTable("Refused:", refusals)).toBe(
      "Refused:\n  a@1.0.10: Why. (X)\n  a@1.0.2: Why. (X)\n  a@1.0.1: Why. (X)\n  and 1 more\n",
    );
  });
});
