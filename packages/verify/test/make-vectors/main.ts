// Writes test/vectors/policy and test/vectors/verification anew: `node packages/verify/test/make-vectors/main.ts`. What the tests read is what lies there.
import { writeFileSync } from "node:fs";
import { lockCases } from "./lock-cases.ts";
import { policyCases } from "./policy-cases.ts";
import { verificationCases } from "./verification-cases.ts";

const FOLDER = new URL("../../../../test/vectors/", import.meta.url);

write("policy/policies.json", policyCases());
write("verification/packages.json", verificationCases());
write("verification/locks.json", lockCases());

/** A list with a case a line. */
function write(path: string, cases: readonly object[]): void {
  writeFileSync(new URL(path, FOLDER), `[\n${cases.map((one) => JSON.stringify(one)).join(",\n")}\n]\n`);
}
