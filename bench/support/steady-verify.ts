import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Verify from "@touchmark/verify";

// Run as a process of its own: arguments are the tree's folder and the folder with the built packages. Verifies the tree and then does the bare
// cryptography for it, in turn and several times, and prints the processor time of each in milliseconds, the first round (cold code) left out.
const [folder = "", built = ""] = process.argv.slice(2);
const ROUNDS = 9;

const require = createRequire(join(built, "package.json"));
const { checkLockfile, packageChecker, parseCompanion, parseLockfile, parsePolicy, registriesOf, trustEvidence } =
  (await import(pathToFileURL(require.resolve("@touchmark/verify")).href)) as typeof Verify;

async function ours(): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const policy = parsePolicy(readFileSync(join(folder, "touchmark.json")), now);
  const lockfile = parseLockfile(readFileSync(join(folder, "package-lock.json")), registriesOf(policy));
  const { evidence, pins } = parseCompanion(readFileSync(join(folder, "touchmark.lock")));
  const trusted = await trustEvidence(evidence, { policy, now, seen: [], log: null });
  if (!trusted.ok) throw new Error(trusted.reason.message);
  const { status } = checkLockfile(lockfile, policy, packageChecker(policy, pins, trusted.evidence));
  if (status !== "accepted") throw new Error(`the tree is ${status}`);
}

const work = JSON.parse(readFileSync(join(folder, "floor.json"), "utf8")) as {
  keys: string[];
  signatures: { key: number; message: string; signature: string }[];
  hashes: number;
  envelopes: number[];
};
const keys: KeyObject[] = work.keys.map((key) =>
  createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" }),
);
const signatures = work.signatures.map(({ key, message, signature }) => ({
  key: keys[key]!,
  message: Buffer.from(message, "base64"),
  signature: Buffer.from(signature, "base64"),
}));
const node = Buffer.alloc(65, 1);
const bytes = Buffer.alloc(256 * 1024, 1);

function floor(): void {
  for (const file of ["touchmark.json", "package-lock.json", "touchmark.lock"]) readFileSync(join(folder, file));
  for (const { key, message, signature } of signatures) {
    if (!verify("sha256", message, key, signature)) throw new Error("a signature is bad");
  }
  for (let i = 0; i < work.hashes; i++) hash("sha256", node, "binary");
  for (const length of work.envelopes) {
    hash("sha256", bytes.subarray(0, length), "binary");
    hash("sha512", bytes.subarray(0, length / 3), "binary"); // about the payload's share of it
  }
}

async function cost(run: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const rounds: { ours: number; floor: number }[] = [];
for (let round = 0; round <= ROUNDS; round++) rounds.push({ ours: await cost(ours), floor: await cost(floor) });
process.stdout.write(JSON.stringify(rounds.slice(1)));
