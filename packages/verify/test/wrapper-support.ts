import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encodePackageId, encodeUtf8, type Verdict } from "@touchmark/core";
import { encodeVerifierKey } from "@touchmark/log";
import { checkLockfile } from "../src/check-lockfile.ts";
import type { PackageChecker } from "../src/evidence/check-package.ts";
import { decisionOf } from "../src/gate/decide-by-session.ts";
import type { Decide } from "../src/gate/decision.ts";
import { runNpm, type NpmRun, type RunNpmOptions } from "../src/npm/run-npm.ts";
import { parsePolicy, type Policy } from "../src/policy/policy.ts";
import { cleanNpmEnv } from "../../../test/support/npm-env.ts";
import { forgedLog } from "./support/forged-log.ts";

export const NPM = process.env["TOUCHMARK_TEST_NPM"];

export function policyFor(registries: Record<string, string[]>, more: object = {}): Policy {
  const log = forgedLog();
  const key = encodeVerifierKey(log.signer.key);
  const document = {
    version: 1,
    registries,
    log: { url: "https://log.example/test/", origin: log.origin, key },
    ...more,
  };
  return parsePolicy(encodeUtf8(JSON.stringify(document)), 1_800_000_000);
}

/** Judges by release id or digest alone: everything is allowed but what is named. */
export function judge(...refused: string[]): { checker: PackageChecker; decide: Decide } {
  const check = (packageId: string, version: string, sha512: string): Verdict => {
    const name = packageId.slice(packageId.indexOf("/") + 1);
    const bad = refused.includes(`${name}@${version}`) || refused.includes(sha512);
    const reason = {
      code: "THRESHOLD" as const,
      step: "V-14",
      message: "Signed by 1 of 2 holders.",
      hint: "Wait for the second.",
    };
    const status = bad ? "rejected" : "accepted";
    return {
      packageId,
      name,
      version,
      status,
      basis: bad ? null : "unclaimed",
      signers: [],
      enforced: true,
      reasons: bad ? [reason] : [],
    };
  };
  const checker: PackageChecker = {
    check: ({ packageId, version, sha512 }) => check(packageId, version, sha512),
    lineOf: () => null,
    ownerOf: () => null,
    pinOf: () => null,
    notes: [],
    releasesOf: () => [],
    judge: () => {
      throw new Error("Nobody asks for that here.");
    },
  };
  const decide: Decide = {
    decideVersions: async (name, registry, versions) =>
      new Map(
        versions.map(({ version, integrity }) => {
          const sha512 = integrity.ok ? integrity.sha512 : "";
          return [version, decisionOf(check(encodePackageId({ registry, name }), version, sha512))];
        }),
      ),
    decideTarball: async (name, registry, version, { sha512 }) =>
      decisionOf(check(encodePackageId({ registry, name }), version, sha512)),
  };
  return { checker, decide };
}

export interface Project {
  directory: string;
  write(path: string, content: string | object): void;
  read(path: string): string | undefined;
  json(path: string): {
    packages: Record<string, { version?: string; resolved?: string; integrity?: string; [more: string]: unknown }>;
  };
  /** Runs npm behind the gate; releases and digests named in `refused` are refused. */
  npm(argv: string[], refused?: string[], more?: Partial<RunNpmOptions>): Promise<NpmRun & { output: string }>;
  remove(): void;
}

/** A project in a directory of its own, with npm's settings and caches beside it. */
export function createProject(registry: string, manifest: object, policy: Policy): Project {
  const root = mkdtempSync(join(tmpdir(), "touchmark-project-"));
  const directory = join(root, "project");
  const path = (name: string): string => join(directory, name);
  const project: Project = {
    directory,
    write(name, content) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), typeof content === "string" ? content : JSON.stringify(content));
    },
    read(name) {
      try {
        return readFileSync(path(name), "utf8");
      } catch {
        return undefined;
      }
    },
    json: (name) => JSON.parse(readFileSync(path(name), "utf8")) as ReturnType<Project["json"]>,
    async npm(argv, refused = [], more = {}) {
      let output = "";
      const add = (text: string | Uint8Array): void => {
        output += typeof text === "string" ? text : Buffer.from(text).toString("utf8");
      };
      const { checker, decide } = judge(...refused);
      const run = await runNpm({
        argv,
        cwd: directory,
        env: cleanNpmEnv(root),
        ...(NPM === undefined ? {} : { npmPath: NPM }),
        policy,
        cacheDirectory: join(root, "gate-cache"),
        checkLockfile: async (lockfile) => checkLockfile(lockfile, policy, checker),
        decide,
        io: { stdout: add, stderr: add },
        ...more,
      });
      return { ...run, output };
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
  project.write("package.json", { name: "project", version: "1.0.0", ...manifest });
  project.write(".npmrc", `registry=${registry}\n`);
  return project;
}
