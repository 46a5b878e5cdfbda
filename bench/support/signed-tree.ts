import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeHex, parseStatement } from "@touchmark/core";
import { encodeVerifierKey, nodeCrypto } from "@touchmark/log";
import { encodeCompanion } from "@touchmark/verify";
import { forgedLog } from "../../packages/verify/test/support/forged-log.ts";
import {
  authority,
  claimPayload,
  person,
  releasePayload,
  signedBy,
} from "../../packages/verify/test/support/people.ts";

export interface SignedTree {
  packages: number;
  /** How many packages one claim covers. */
  packagesPerClaim: number;
}

/** Writes package-lock.json, touchmark.json and touchmark.lock of a tree in which every package is signed by two of its three holders. */
export function writeSignedTree(directory: string, { packages, packagesPerClaim }: SignedTree): void {
  const log = forgedLog();
  const now = Math.floor(Date.now() / 1000);
  const rules: Record<string, object> = {};
  const pins = new Map<string, string>();
  const locked: Record<string, object> = { "": { name: "tree", version: "1.0.0" } };
  for (let first = 0; first < packages; first += packagesPerClaim) {
    const team = first / packagesPerClaim;
    const holders = ["ann", "ben", "cyd"].map((name) => person(name, `${name} of team ${team}`));
    const names = Array.from(
      { length: Math.min(packagesPerClaim, packages - first) },
      (_, i) => `package-${first + i}`,
    );
    const ids = names.map((name) => `npm:npmjs/${name}`).toSorted();
    const claim = claimPayload({ packages: ids, authority: authority(holders, 2) });
    log.append(signedBy(claim, holders), now - 1000);
    const statement = parseStatement(nodeCrypto, claim);
    if (statement.kind !== "claim") throw new Error("a claim is a claim");
    for (const name of names) {
      const sha512 = randomBytes(64);
      rules[name] = { level: "strict", authority: statement.authority.digest };
      pins.set(`npm:npmjs/${name}`, statement.authority.digest);
      log.append(
        signedBy(releasePayload(`npm:npmjs/${name}@1.0.0`, encodeHex(sha512)), holders.slice(0, 2)),
        now - 500,
      );
      locked[`node_modules/${name}`] = {
        version: "1.0.0",
        resolved: `https://registry.example/${name}/-/${name}-1.0.0.tgz`,
        integrity: `sha512-${sha512.toString("base64")}`,
      };
    }
  }
  const policy = {
    version: 1,
    registries: { npmjs: ["https://registry.example/"] },
    log: { url: "https://log.example/test/", origin: log.origin, key: encodeVerifierKey(log.signer.key) },
    packages: rules,
  };
  writeFileSync(join(directory, "touchmark.json"), JSON.stringify(policy, null, 2));
  writeFileSync(
    join(directory, "package-lock.json"),
    JSON.stringify({ name: "tree", version: "1.0.0", lockfileVersion: 3, requires: true, packages: locked }, null, 2),
  );
  const evidence = log.evidence([...pins.keys()]);
  writeFileSync(join(directory, "touchmark.lock"), encodeCompanion({ pins, evidence }));
}
