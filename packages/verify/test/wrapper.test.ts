import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { encodeIntegrity } from "../src/npm/integrity.ts";
import { checkLockfile } from "../src/check-lockfile.ts";
import type { Policy } from "../src/policy/policy.ts";
import { publishPackage, startVerdaccio, type Verdaccio } from "../../../test/support/verdaccio.ts";
import { createProject, judge, policyFor, type Project } from "./wrapper-support.ts";

/** Leaves a file beside the package's own when one of its scripts runs. */
const MARK = { preinstall: "echo ran > ran", postinstall: "echo ran >> ran" };

let registry: Verdaccio;
let policy: Policy;
const projects: Project[] = [];

beforeAll(async () => {
  registry = await startVerdaccio();
  policy = policyFor({ main: [registry.url] });
  await publishPackage(registry.url, { name: "widget", version: "1.0.0", manifest: { scripts: MARK } });
  await publishPackage(registry.url, { name: "widget", version: "1.0.1", manifest: { scripts: MARK } });
  await publishPackage(registry.url, {
    name: "@s/gadget",
    version: "2.0.0",
    manifest: { scripts: MARK, dependencies: { widget: "^1.0.0" } },
  });
});
afterEach(() => {
  for (const project of projects.splice(0)) project.remove();
});
afterAll(() => registry.close());

function open(manifest: object, by = policy): Project {
  const project = createProject(registry.url, { allowScripts: { widget: true, "@s/gadget": true }, ...manifest }, by);
  projects.push(project);
  return project;
}

describe("npm install", () => {
  it("I1: a range falls back to the newest good version; scripts run at the end; the lockfile keeps the registry's address", async () => {
    const project = open({
      dependencies: { "@s/gadget": "^2.0.0" },
      scripts: { preinstall: "echo root >> order", prepare: "echo prepare >> order" },
    });
    const run = await project.npm(["install"], ["widget@1.0.1"]);
    expect(run, run.output).toMatchObject({ exitCode: 0, stage: "done" });
    const { packages } = project.json("package-lock.json");
    expect(packages["node_modules/widget"]).toMatchObject({
      version: "1.0.0",
      resolved: `${registry.url}widget/-/widget-1.0.0.tgz`,
    });
    expect(packages["node_modules/@s/gadget"]!.resolved).toBe(`${registry.url}@s/gadget/-/gadget-2.0.0.tgz`);
    expect(project.read("node_modules/widget/ran")).toBe("ran\nran\n");
    expect(project.read("node_modules/@s/gadget/ran")).toBe("ran\nran\n");
    expect(project.read("order")).toBe("root\nprepare\n");
    expect(run.output).toContain("held newer versions back:\n  widget@1.0.1: Signed by 1 of 2 holders. (THRESHOLD)");
    expect(run.lockfile?.packages).toHaveLength(2);

    const again = await project.npm(["ci"], ["widget@1.0.1"]); // from the gate's cache
    expect(again, again.output).toMatchObject({ exitCode: 0, stage: "done" });
    expect(project.read("node_modules/widget/ran")).toBe("ran\nran\n");
  });

  it("an exact version that is refused: npm's own output has the reason, and nothing is left", async () => {
    const project = open({});
    const before = project.read("package.json");
    const run = await project.npm(["i", "widget@1.0.1"], ["widget@1.0.1"]);
    expect(run).toMatchObject({ exitCode: 1, stage: "during" });
    expect(run.output).toMatch(/npm error 403 1\.0\.1: Signed by 1 of 2 holders\. \(THRESHOLD\)/);
    expect(run.output).toContain(
      "touchmark refused:\n  widget@1.0.1: Signed by 1 of 2 holders. (THRESHOLD)\n    Wait for the second.",
    );
    expect([
      project.read("package.json"),
      project.read("package-lock.json"),
      project.read("node_modules/widget/package.json"),
    ]).toEqual([before, undefined, undefined]);
  });

  it("I13: with one package refused, no script of any has run", async () => {
    const project = open({ dependencies: { "@s/gadget": "^2.0.0" }, scripts: { preinstall: "echo root > order" } });
    const run = await project.npm(["install"], ["widget@1.0.0", "widget@1.0.1"]);
    expect(run).toMatchObject({ exitCode: 1, stage: "during" });
    expect([project.read("node_modules/@s/gadget/ran"), project.read("order")]).toEqual([undefined, undefined]);
  });

  it("--ignore-scripts is kept to, and a project's own registries for scopes go through the gate", async () => {
    const project = open({ dependencies: { "@s/gadget": "2.0.0" } });
    project.write(
      ".npmrc",
      `registry=https://elsewhere.example/\n@s:registry=${registry.url}\nproxy=http://127.0.0.1:1\nhttps-proxy=http://127.0.0.1:1\n`,
    );
    const both = policyFor({ main: [registry.url], other: ["https://elsewhere.example/"] });
    const asked: string[] = [];
    const run = await project.npm(["install", "--ignore-scripts"], [], {
      policy: both,
      fetch: (url, init) => {
        asked.push(url.replace(/^https:\/\/elsewhere\.example\//, "other:"));
        return fetch(url.replace("https://elsewhere.example/", registry.url), init);
      },
    });
    expect(run, run.output).toMatchObject({ exitCode: 1 }); // widget's tarball lies at an address that is not the other registry's
    expect(asked).toContain(`${registry.url}@s%2fgadget`);
    expect(asked).toContain("other:widget");
    expect(run.output).toContain("PACKUMENT_HOST");
  });
});

describe("a project without a lockfile", () => {
  it("is judged by what npm has installed", async () => {
    const project = open({ dependencies: { widget: "1.0.1" } });
    project.write(".npmrc", `registry=${registry.url}\npackage-lock=false\n`);
    project.write("package-lock.json", "left over, and read by nobody");
    expect(await project.npm(["install"])).toMatchObject({ exitCode: 0, stage: "done" });
    const { checker } = judge("widget@1.0.1");
    const run = await project.npm(["install"], [], {
      checkLockfile: async (lockfile) => checkLockfile(lockfile, policy, checker),
    });
    expect(run, run.output).toMatchObject({ exitCode: 1, stage: "after" });
    expect(project.read("node_modules/widget/package.json")).toBeUndefined();
    expect(project.read("package-lock.json")).toBe("left over, and read by nobody");
  });
});

describe("workspaces and sources on disk", () => {
  it("nothing of them runs before the last check, and everything is put back if that refuses", async () => {
    const allowing = policyFor({ main: [registry.url] }, { sources: { file: "allow" } });
    const project = open(
      { workspaces: ["packages/*"], dependencies: { widget: "1.0.1", linked: "file:./linked" } },
      allowing,
    );
    const prepare = { scripts: { prepare: "echo prepared >> ran" } };
    project.write("packages/ws/package.json", { name: "ws", version: "1.0.0", ...prepare });
    project.write("linked/package.json", { name: "linked", version: "1.0.0", ...prepare });
    const { checker } = judge("widget@1.0.1");
    const refused = await project.npm(["install"], [], {
      checkLockfile: async (lockfile) => checkLockfile(lockfile, allowing, checker),
    });
    expect(refused, refused.output).toMatchObject({ exitCode: 1, stage: "after" });
    expect(refused.output).toContain(
      "no script of it has run, node_modules was removed (put back: package-lock.json):",
    );
    for (const path of [
      "package-lock.json",
      "node_modules/.package-lock.json",
      "packages/ws/ran",
      "linked/ran",
      "node_modules/widget/ran",
    ]) {
      expect(project.read(path), path).toBeUndefined();
    }
    const run = await project.npm(["install"]);
    expect(run, run.output).toMatchObject({ exitCode: 0, stage: "done" });
    expect(project.read("packages/ws/ran")).toBe("prepared\n"); // of the linked one npm 12 wants to be told first
  });
});

describe("npm ci and the lockfile", () => {
  async function locked(): Promise<Project> {
    const project = open({ dependencies: { widget: "1.0.1" } });
    const run = await project.npm(["install", "--package-lock-only"]);
    expect(run, run.output).toMatchObject({ exitCode: 0, stage: "done" });
    return project;
  }

  function edit(project: Project, change: Record<string, unknown>): void {
    const lock = project.json("package-lock.json");
    Object.assign(lock.packages["node_modules/widget"]!, change);
    project.write("package-lock.json", lock);
  }

  it("refused before npm starts: the release, I3, I4, I5", async () => {
    const project = await locked();
    const original = project.read("package-lock.json")!;
    const cases: [Record<string, unknown>, string, string[]][] = [
      [{}, "THRESHOLD", ["widget@1.0.1"]],
      [
        { resolved: "https://evil.example/widget-1.0.1.tgz", integrity: encodeIntegrity("ab".repeat(64)) },
        "SOURCE_REFUSED",
        [],
      ],
      [{ resolved: `${registry.url}@s/gadget/-/gadget-2.0.0.tgz` }, "WRONG_ADDRESS", []],
      [{ integrity: undefined }, "INTEGRITY_MISSING", []],
      [{ name: "x\u001b[2J\u202e" }, "NAME_MALFORMED", []],
    ];
    for (const [change, code, refused] of cases) {
      project.write("package-lock.json", original);
      edit(project, change);
      const run = await project.npm(["ci"], refused);
      expect(run, code).toMatchObject({ exitCode: 1, stage: "before" });
      expect(run.output).toContain(`(${code})`);
      expect(run.output).toMatch(/^touchmark did not start npm:/);
      expect(run.output.includes("\u001b") || run.output.includes("\u202e"), "I16").toBe(false);
    }
    expect(project.read("node_modules/widget/package.json")).toBeUndefined();
  });

  it("I2: other bytes than the lockfile's are refused while npm runs", async () => {
    const project = await locked();
    edit(project, { integrity: encodeIntegrity("ab".repeat(64)) });
    const run = await project.npm(["ci"]);
    expect(run).toMatchObject({ exitCode: 1, stage: "during" });
    expect(run.output).toContain("INTEGRITY_MISMATCH");
    expect(project.read("node_modules/widget/ran")).toBeUndefined();
  });

  it("a lockfile that is swapped after the check is found out before any script", async () => {
    const project = await locked();
    const good = project.read("package-lock.json")!;
    edit(project, {
      version: "1.0.0",
      resolved: `${registry.url}widget/-/widget-1.0.0.tgz`,
      integrity: await integrityOf("1.0.0"),
    });
    const swapped = project.read("package-lock.json")!;
    project.write("package-lock.json", good);
    project.write("package.json", {
      name: "project",
      version: "1.0.0",
      dependencies: { widget: "*" },
      allowScripts: { widget: true },
    });
    const run = await project.npm(["ci"], [], {
      checkLockfile: async () => {
        project.write("package-lock.json", swapped);
        return { status: "accepted", verdicts: [], notes: [] };
      },
    });
    expect(run, run.output).toMatchObject({ exitCode: 1, stage: "after" });
    expect(run.output).toContain(
      "node_modules/widget: npm installed another version than the lockfile's. (INSTALLED_DIFFERS)",
    );
    expect(project.read("node_modules/widget/ran")).toBeUndefined();
  });

  it("what was put into node_modules by others is not run", async () => {
    const project = await locked();
    expect((await project.npm(["ci", "--ignore-scripts"])).exitCode).toBe(0);
    expect(project.read("node_modules/widget/ran")).toBeUndefined();
    project.write("node_modules/planted/package.json", { name: "planted", version: "1.0.0", scripts: MARK });
    project.write("node_modules/widget/planted.js", "");
    const dry = await project.npm(["install", "--dry-run"]);
    expect([dry.exitCode, project.read("node_modules/widget/planted.js")]).toEqual([0, ""]);
    const run = await project.npm(["install"]);
    expect(run, run.output).toMatchObject({ exitCode: 0 }); // all of it was unpacked anew
    expect(project.read("node_modules/planted/package.json")).toBeUndefined();
    expect(project.read("node_modules/widget/planted.js")).toBeUndefined();
    expect(project.read("node_modules/widget/ran")).toBe("ran\nran\n");
  });

  async function integrityOf(version: string): Promise<string> {
    const bytes = await (await fetch(`${registry.url}widget/-/widget-${version}.tgz`)).bytes();
    return encodeIntegrity(createHash("sha512").update(bytes).digest("hex"));
  }
});

describe("refused outright", () => {
  it("commands, options and sources", async () => {
    const project = open({});
    for (const argv of [
      ["publish"],
      ["install", "--registry=https://evil.example/"],
      ["install", "-g", "widget"],
      ["ci", "--reg", "x"],
      ["install", "--cache", "x"],
    ]) {
      await expect(project.npm(argv), argv.join(" ")).rejects.toMatchObject({ code: "NPM_ARGUMENT" });
    }
    const run = await project.npm(["install", "widget", "evil/repository", "https://evil.example/x.tgz", "../x"]);
    expect(run).toMatchObject({ exitCode: 1, stage: "before" });
    expect(run.refusals.map(({ code }) => code)).toEqual(["SOURCE_REFUSED", "SOURCE_REFUSED", "SOURCE_REFUSED"]);
  });

  it("a registry that the policy doesn't name", async () => {
    const project = open({}, policyFor({ main: ["https://registry.example/"] }));
    await expect(project.npm(["install", "widget"])).rejects.toMatchObject({ code: "NPM_SETTING" });
  });

  it("could not check is 3, and npm's own failure is npm's", async () => {
    const project = open({ dependencies: { widget: "1.0.0" } });
    const run = await project.npm(["install"], [], { fetch: async () => Promise.reject(new Error("down")) });
    expect(run, run.output).toMatchObject({ exitCode: 3, stage: "during" });
    const none = open({ dependencies: { nothing: "1.0.0" } });
    expect(await none.npm(["install"])).toMatchObject({ exitCode: 1, stage: "during", refusals: [] });
  });
});
