import { randomBytes } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanText } from "@touchmark/core";
import { VerifyError } from "../errors.ts";
import type { ExpectedTarball } from "../gate/catalogue.ts";
import type { Decide, Refusal } from "../gate/decision.ts";
import { startGate, type GateOptions } from "../gate/start-gate.ts";
import type { FetchEdge, Upstream } from "../gate/upstream.ts";
import { registriesOf, type Policy } from "../policy/policy.ts";
import type { NpmArguments } from "./npm-arguments.ts";
import type { NpmSettings } from "./npm-settings.ts";
import { credentialsFor } from "./npmrc-credentials.ts";
import { baseOf } from "./registry-address.ts";

export interface GatedNpm {
  args: NpmArguments;
  settings: NpmSettings;
  env: NodeJS.ProcessEnv;
  policy: Policy;
  cacheDirectory: string;
  decide: Decide;
  fetch?: FetchEdge;
  /** Starts npm and waits for its end. */
  start(args: string[], env: NodeJS.ProcessEnv): Promise<number>;
}

/**
 * Runs npm with a gate as its only registry and everything set that keeps it there: what stands on the command line goes before all other settings.
 * The cache must have been prepared. Throws `NPM_SETTING` where the policy doesn't know npm's registry.
 */
export async function runGatedNpm(
  npm: GatedNpm,
  expected: readonly ExpectedTarball[],
): Promise<{ exitCode: number; refusals: Refusal[] }> {
  const upstreams = upstreamsOf(npm);
  const clientToken = randomBytes(24).toString("hex");
  const scratch = mkdtempSync(join(tmpdir(), "touchmark-npm-"));
  const fetchEdge = npm.fetch ? { fetch: npm.fetch } : {};
  const gate = await startGate({ ...upstreams, ...fetchEdge, decide: npm.decide, expected, clientToken });
  try {
    const exitCode = await npm.start(
      gatedArguments(npm, gate.url, scratch),
      gatedEnvironment(npm, gate.url, clientToken),
    );
    return { exitCode, refusals: gate.refusals() };
  } finally {
    await gate.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function gatedArguments(
  { args, settings, policy: { sources }, cacheDirectory }: GatedNpm,
  gate: string,
  scratch: string,
): string[] {
  const allow = (source: "git" | "remote"): string[] =>
    settings.known.has(`allow-${source}`) ? [`--allow-${source}=${sources[source] ? "all" : "none"}`] : [];
  return [
    args.command,
    ...["audit", "fund"].filter((name) => !args.given.has(name)).map((name) => `--${name}=false`),
    ...args.options,
    `--registry=${gate}`,
    // Lockfiles and documents keep the registry's own addresses; npm asks the gate for them all the same.
    "--replace-registry-host=always",
    `--cache=${cacheDirectory}`,
    "--ignore-scripts=true",
    ...scriptShell(scratch),
    ...allow("git"),
    ...allow("remote"),
    ...(settings.known.has("allow-git") || sources.git ? [] : ["--git=no-git-behind-the-gate"]),
    "--global=false",
    // npm writes some addresses anew so that they lead to other hosts. Whatever isn't sent to the gate is sent through it, which refuses that.
    `--proxy=${gate}`,
    `--https-proxy=${gate}`,
    "--noproxy=127.0.0.1",
    "--fetch-retries=0", // the gate tries again itself
    ...[...settings.scopes.keys()]
      .filter((scope) => !keepsItsName(scope))
      .map((scope) => `--${scope}:registry=${gate}`),
    "--update-notifier=false",
    "--",
    ...args.specs,
  ];
}

/** npm 10 runs `prepare` of workspaces and linked directories in spite of ignore-scripts; with this shell nothing comes of it. */
function scriptShell(scratch: string): string[] {
  if (process.platform === "win32") return [];
  const shell = join(scratch, "no-script");
  writeFileSync(shell, "#!/bin/sh\nexit 0\n");
  chmodSync(shell, 0o700);
  return [`--script-shell=${shell}`];
}

/** npm reads a name in the environment in lower case, with dashes for underscores. */
function keepsItsName(scope: string): boolean {
  return scope === scope.toLowerCase() && !scope.includes("_");
}

/** npm warns of a scope's registry on its command line, where only those stand that it would misread in the environment, which comes next in rank. */
function gatedEnvironment({ env, settings }: GatedNpm, gate: string, clientToken: string): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([key]) => !/^npm_config_(?:@.*:registry|\/\/.*)$/is.test(key));
  const scopes = [...settings.scopes.keys()].map((scope) => [`npm_config_${scope}:registry`, gate] as const);
  const token = [`npm_config_//${new URL(gate).host}/:_authToken`, clientToken] as const;
  return Object.fromEntries([...kept, ...scopes, token]);
}

function upstreamsOf({ settings, policy, env }: GatedNpm): Pick<GateOptions, "registry" | "scopes"> {
  const registryOf = registriesOf(policy);
  const upstreamOf = (address: string): Upstream | null => {
    const url = URL.canParse(address) ? baseOf(address) : undefined;
    const name = url && registryOf(url);
    if (!url || name === undefined) return null;
    const authorization = credentialsFor(url, settings.files, env);
    const tarballOrigins = (policy.registries.get(name) ?? []).map(({ origin }) => origin);
    return { name, url: url.href, tarballOrigins, ...(authorization === undefined ? {} : { authorization }) };
  };
  const registry = upstreamOf(settings.registry);
  if (!registry) {
    throw new VerifyError(
      "NPM_SETTING",
      `npm's registry ${cleanText(settings.registry, 120)} is not in the policy.`,
      'Add its address to "registries" in touchmark.json.',
    );
  }
  return {
    registry,
    scopes: Object.fromEntries([...settings.scopes].map(([scope, address]) => [scope, upstreamOf(address)])),
  };
}

/** The cache is trusted for nothing but digests, yet nobody else shall be able to fill or empty it. Throws `NPM_SETTING`. */
export function prepareCache(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  const own = process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o022) === 0);
  if (!found.isDirectory() || !own) {
    throw new VerifyError(
      "NPM_SETTING",
      `The cache ${cleanText(directory, 200)} is not this user's own.`,
      "Remove it; it is made anew.",
    );
  }
}
