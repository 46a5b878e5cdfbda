// Writes test/vectors/core and test/vectors/statements anew: `node packages/core/test/make-vectors/main.ts`. What the tests read is what lies there.
import { mkdirSync, writeFileSync } from "node:fs";
import { ecdsaCases } from "./ecdsa.ts";
import { ed25519Cases } from "./ed25519.ts";
import type { KindCase } from "./kind-case.ts";
import {
  adoptCases,
  adoptFinalCases,
  changeCases,
  claimCases,
  releaseCases,
  revokeCases,
  vetoCases,
} from "./kinds-authority.ts";
import { endorseCases, fundingCases, holdCases, liftCases, proofCases, reviewCases } from "./kinds-words.ts";
import { keyCases } from "./keys.ts";
import { payloadCases } from "./payloads.ts";
import { hasDummyProvider, signWithDummyKeys } from "../support/openssh.ts";
import { release } from "./payload-parts.ts";
import { sshsigCases } from "./sshsig.ts";
import { statementCases } from "./statements.ts";

const FILES: Record<string, unknown[]> = {
  "ecdsa-p256.json": ecdsaCases(),
  "ed25519.json": ed25519Cases(),
  "keys.json": keyCases(),
  ...(hasDummyProvider() ? { "openssh.json": signWithDummyKeys(JSON.stringify(release())) } : {}),
  "payloads.json": payloadCases(),
  "sshsig.json": sshsigCases(),
  "statements.json": statementCases(),
};

const KINDS: Record<string, KindCase[]> = {
  adopt: adoptCases(),
  "adopt-final": adoptFinalCases(),
  change: changeCases(),
  claim: claimCases(),
  endorse: endorseCases(),
  funding: fundingCases(),
  hold: holdCases(),
  lift: liftCases(),
  proof: proofCases(),
  release: releaseCases(),
  review: reviewCases(),
  revoke: revokeCases(),
  veto: vetoCases(),
};

for (const [name, cases] of Object.entries(FILES)) write(`core/${name}`, cases);
for (const [kind, cases] of Object.entries(KINDS)) write(`statements/${kind}.json`, cases);

function write(path: string, cases: unknown[]): void {
  const lines = cases.map((one) => ` ${JSON.stringify(one)}`).join(",\n");
  const file = new URL(`../../../../test/vectors/${path}`, import.meta.url);
  mkdirSync(new URL(".", file), { recursive: true });
  writeFileSync(file, `[\n${lines}\n]\n`);
}
