import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Log from "@touchmark/log";
import type * as Verify from "@touchmark/verify";
import type { SignatureFloor } from "./signature-floor.ts";

// Run as a process of its own: arguments are the history's folder and the folder with the built packages. Reads and folds the history out of its opened
// evidence and judges a version by it, and does its bare signature checks, in turn and several times; prints the processor time of each in milliseconds,
// the first round (cold code) left out.
const [folder = "", built = ""] = process.argv.slice(2);
const ROUNDS = 9;

const require = createRequire(join(built, "package.json"));
const load = async <T>(name: string): Promise<T> => (await import(pathToFileURL(require.resolve(name)).href)) as T;
const { openEvidence, packageChecker, parsePolicy } = await load<typeof Verify>("@touchmark/verify");
const { parseEvidence } = await load<typeof Log>("@touchmark/log");
const read = (file: string): Buffer => readFileSync(join(folder, file));
const json = (file: string): unknown => JSON.parse(read(file).toString("utf8"));

const policy = parsePolicy(read("touchmark.json"), Math.floor(Date.now() / 1000));
const evidence = openEvidence(parseEvidence(read("evidence.json")), policy.log.key);
const asked = json("asked.json") as Verify.Candidate;

function ours(): void {
  const { status, reasons } = packageChecker(policy, new Map(), evidence).check(asked);
  if (status !== "accepted") throw new Error(`the version is ${status}: ${reasons[0]?.message}`);
}

const work = json("floor.json") as SignatureFloor;
const keys: KeyObject[] = work.keys.map((key) =>
  createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" }),
);
const signatures = work.signatures.map(({ key, message, signature }) => ({
  key: keys[key]!,
  message: Buffer.from(message, "base64"),
  signature: Buffer.from(signature, "base64"),
}));

function floor(): void {
  for (const { key, message, signature } of signatures) {
    if (!verify("sha256", message, key, signature)) throw new Error("a signature is bad");
  }
}

function cost(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const rounds: { ours: number; floor: number }[] = [];
for (let round = 0; round <= ROUNDS; round++) rounds.push({ ours: cost(ours), floor: cost(floor) });
process.stdout.write(JSON.stringify(rounds.slice(1)));
