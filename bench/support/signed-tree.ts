import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeHex, type Envelope, parseStatement } from "@touchmark/core";
import { encodeVerifierKey, type Evidence, nodeCrypto } from "@touchmark/log";
import { encodeCompanion, type Pin } from "@touchmark/verify";
import { forgedLog } from "../../packages/verify/test/support/forged-log.ts";
import {
  authority,
  claimPayload,
  person,
  releasePayload,
  signedBy,
} from "../../packages/verify/test/support/people.ts";
import { signatureFloor } from "./signature-floor.ts";

export interface SignedTree {
  packages: number;
  /** How many packages the same three people hold: one claim names them all, each has a release of its own. */
  packagesPerTeam: number;
}

/** Writes package-lock.json, touchmark.json and touchmark.lock of a tree in which every package is signed by two of its three holders. */
export function writeSignedTree(directory: string, { packages, packagesPerTeam }: SignedTree): void {
  const log = forgedLog();
  const now = Math.floor(Date.now() / 1000);
  const floor = floorWork();
  const rules: Record<string, object> = {};
  const pins = new Map<string, Pin>();
  const locked: Record<string, object> = { "": { name: "tree", version: "1.0.0" } };
  for (let start = 0; start < packages; start += packagesPerTeam) {
    const team = start / packagesPerTeam;
    const holders = ["ann", "ben", "cyd"].map((name) => person(name, `${name} of team ${team}`));
    const names = Array.from({ length: Math.min(packagesPerTeam, packages - start) }, (_, i) => `package-${start + i}`);
    const packageIds = names.map((name) => `npm:npmjs/${name}`);
    const claim = claimPayload({ packages: packageIds.toSorted(), authority: authority(holders, 2) });
    const first = log.append(signedBy(claim, holders), now - 1000);
    const statement = parseStatement(nodeCrypto, claim);
    if (statement.kind !== "claim") throw new Error("a claim is a claim");
    for (const name of names) {
      const sha512 = randomBytes(64);
      const release = signedBy(releasePayload(`npm:npmjs/${name}@1.0.0`, encodeHex(sha512)), holders.slice(0, 2));
      floor.add(release);
      rules[name] = { level: "strict", authority: statement.authority.digest };
      const packageId = `npm:npmjs/${name}`;
      const entry = first + packageIds.toSorted().indexOf(packageId);
      pins.set(packageId, { authority: statement.authority.digest, epoch: 1, entry, proof: [] });
      log.append(release, now - 500);
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
  writeFileSync(join(directory, "floor.json"), JSON.stringify(floor.with(evidence)));
}

/** What `crypto-floor.ts` has to do for the same tree: the signatures with their keys, and how many hashes. */
function floorWork(): { add(release: Envelope): void; with(evidence: Evidence): object } {
  const { add, floor } = signatureFloor();
  return {
    add,
    with: ({ entries, logProof, buckets, mapProof, envelopes }) => ({
      ...floor(),
      hashes: hashesOf(entries.size + 1, logProof) + hashesOf(buckets.size, mapProof),
      // Each is hashed as a whole (SHA-256, to find it) and by its payload (SHA-512, what is signed).
      envelopes: [...envelopes.values()].map((text) => text.length),
    }),
  };
}

// A multi-proof of n leaves and p hashes takes n leaf hashes and n + p − 1 inner ones.
function hashesOf(leaves: number, proof: Uint8Array): number {
  return 2 * leaves + proof.length / 32 - 1;
}
