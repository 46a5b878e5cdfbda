import { encodeUtf8, parseStatement } from "@touchmark/core";
import { encodeVerifierKey, nodeCrypto } from "@touchmark/log";
import { parsePolicy, type Policy } from "../../src/policy/policy.ts";
import type { EarlierList, ForgedLog } from "./forged-log.ts";
import { authority, claimPayload, digestOf, person, signedBy } from "./people.ts";

// One package, claimed by three holders of whom two must sign, in a log that a test may forge.

export const WIDGET = "npm:npmjs/widget";
export const NOW = 1_800_000_000;
export const [alice, bob, carol] = [person("alice"), person("bob"), person("carol")];
export const aliceBackup = person("alice", "alice's other key");
export const thief = person("mallory");
export const GOOD: string = digestOf("good bytes");
export const BAD: string = digestOf("other bytes");
export const EARLIER: Record<string, EarlierList> = {
  [WIDGET]: { all: [["0.9.0", digestOf("old bytes")]], asked: ["0.9.0"] },
};

export function policyOf(log: ForgedLog, packages: object, more: object = {}): Policy {
  const document = {
    version: 1,
    registries: { npmjs: ["https://registry.example/"] },
    log: { url: "https://log.example/test/", origin: log.origin, key: encodeVerifierKey(log.signer.key) },
    packages,
    ...more,
  };
  return parsePolicy(encodeUtf8(JSON.stringify(document)), NOW);
}

/** Logs the claim; its authority's digest. */
export function claimWidget(log: ForgedLog): string {
  const payload = claimPayload({
    packages: [WIDGET],
    authority: authority([alice, bob, carol, aliceBackup], 2),
    earlier: [["0.9.0", digestOf("old bytes")]],
  });
  log.append(signedBy(payload, [alice, bob, carol, aliceBackup]), NOW - 100);
  const statement = parseStatement(nodeCrypto, payload);
  return statement.kind === "claim" ? statement.authority.digest : "";
}
