// Writes test/vectors/core anew: `node packages/core/test/make-vectors/main.ts`. What the tests read is what lies there.
import { writeFileSync } from "node:fs";
import { ecdsaCases } from "./ecdsa.ts";
import { ed25519Cases } from "./ed25519.ts";
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

for (const [name, cases] of Object.entries(FILES)) {
  const lines = cases.map((one) => ` ${JSON.stringify(one)}`).join(",\n");
  writeFileSync(new URL(`../../../../test/vectors/core/${name}`, import.meta.url), `[\n${lines}\n]\n`);
}
