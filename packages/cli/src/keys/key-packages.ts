// Which packages a key can sign for, as far as the files here, or the log, know of them.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  type Claim,
  encodePackageId,
  isObject,
  isPackageName,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  parseJson,
  parseStatement,
} from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import {
  envelopeOpener,
  type OpenedEvidence,
  type Policy,
  readCommittees,
  readHistory,
  VerifyError,
} from "@touchmark/verify";
import type { Context } from "../command.ts";
import { loadEvidence } from "../evidence/load-evidence.ts";
import { lockfilePath } from "../files/lockfile-path.ts";
import { loadPolicy, policyPath } from "../files/policy-file.ts";
import { readIfThere } from "../files/read-file.ts";

/** A package whose authority lists a key, and who says so. */
export interface KeyPackage {
  packageId: string;
  /** `log`: asked just now; `lock`: by the evidence in touchmark.lock; `draft`: by a claim in a file, which may not be logged. */
  source: "log" | "lock" | "draft";
  /** The claim's file, for `draft`. */
  file: string | null;
}

/** By fingerprint. */
export type PackagesOfKeys = ReadonlyMap<string, readonly KeyPackage[]>;

const MOST_FILES = 500;
const MAX_MANIFEST = 1024 * 1024;

/** Looks into touchmark.lock, or asks the log, and reads the claims in the current folder. Without a policy only those. Throws `POLICY_MALFORMED`, `MEMORY_UNUSABLE`. */
export async function packagesOfKeys(
  fingerprints: readonly string[],
  { online }: { online: boolean },
  context: Context,
): Promise<PackagesOfKeys> {
  const { io, ui } = context;
  const wanted = new Set(fingerprints);
  const found = new Map<string, KeyPackage[]>(fingerprints.map((fingerprint) => [fingerprint, []]));
  const note = (claim: Pick<Claim, "authority">, one: KeyPackage): void => {
    for (const { fingerprint } of claim.authority.keys) {
      const known = found.get(fingerprint);
      if (known?.every(({ packageId }) => packageId !== one.packageId)) known.push(one);
    }
  };
  const drafts = readDrafts(io.cwd).filter(({ claim }) => lists(claim, wanted));
  const policy = online || existsSync(policyPath(context)) ? readPolicy(context, online) : null;
  if (policy !== null) {
    const ids = [...drafts.flatMap(({ claim }) => [...claim.packages.keys()]), ...ownPackage(io.cwd, policy)];
    const ask = online ? Object.fromEntries(ids.map((id) => [id, []])) : null;
    const { evidence } = await loadEvidence({ policy, lockfile: lockfilePath(io, undefined), ask }, context);
    if (!("code" in evidence))
      noteClaimed(evidence, ids, wanted, policy, (claim, packageId) =>
        note(claim, { packageId, source: online ? "log" : "lock", file: null }),
      );
    else if (online) ui.warn(`${evidence.message} [${evidence.code}]`, evidence.hint);
  }
  for (const { claim, file } of drafts)
    for (const packageId of claim.packages.keys()) note(claim, { packageId, source: "draft", file });
  return found;
}

/** In few words, for a table. */
export function describePackages(packages: readonly KeyPackage[]): string[] {
  return packages.map(({ packageId, source, file }) => {
    if (source === "draft") return `${packageId}  by ${file}, once that is in the log`;
    return `${packageId}  by ${source === "log" ? "the log" : "touchmark.lock"}`;
  });
}

function noteClaimed(
  evidence: OpenedEvidence,
  ids: readonly string[],
  wanted: ReadonlySet<string>,
  policy: Policy,
  note: (claim: Pick<Claim, "authority">, packageId: string) => void,
): void {
  const open = envelopeOpener(evidence);
  const { worldBefore } = readCommittees(policy, evidence, open);
  const claims = [...evidence.envelopes.values()].flatMap((text) => readClaim(text) ?? []);
  const mine = claims.filter((claim) => lists(claim, wanted)).flatMap((claim) => [...claim.packages.keys()]);
  for (const packageId of new Set([...mine, ...ids])) {
    const history = readHistory(evidence, open, packageId, { worldBefore, vouched: null });
    // What is in force counts, not what a claim once said.
    if (history.kind === "claimed") for (const line of history.state.lines) note(line, packageId);
  }
}

// What is wrong with a policy keeps nobody from seeing their keys.
function readPolicy(context: Context, online: boolean): Policy | null {
  try {
    return loadPolicy(context);
  } catch (error) {
    if (online || !(error instanceof VerifyError)) throw error;
    context.ui.warn(`touchmark.lock was not looked at: ${error.message}`, error.hint);
    return null;
  }
}

function lists({ authority }: Pick<Claim, "authority">, wanted: ReadonlySet<string>): boolean {
  return authority.keys.some(({ fingerprint }) => wanted.has(fingerprint));
}

function readDrafts(folder: string): { claim: Claim; file: string }[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".touchmark"));
  return files
    .toSorted()
    .slice(0, MOST_FILES)
    .flatMap((file) => {
      const bytes = readIfThere(join(folder, file), MAX_ENVELOPE_BYTES);
      const claim = bytes === null ? null : readClaim(bytes);
      return claim === null ? [] : [{ claim, file }];
    });
}

// Releases, and files that are no statements at all, are passed over.
function readClaim(source: Uint8Array | string): Claim | null {
  try {
    const statement = parseStatement(nodeCrypto, parseEnvelope(source).payload);
    return statement.kind === "claim" ? statement : null;
  } catch {
    return null;
  }
}

function ownPackage(folder: string, { registries }: Policy): string[] {
  const bytes = readIfThere(join(folder, "package.json"), MAX_MANIFEST);
  if (bytes === null) return [];
  try {
    const manifest = parseJson(bytes, { bytes: MAX_MANIFEST });
    const name = isObject(manifest) ? manifest["name"] : undefined;
    if (typeof name !== "string" || !isPackageName(name)) return [];
    return [...registries.keys()].map((registry) => encodePackageId({ registry, name }));
  } catch {
    return [];
  }
}
