import { verify } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Envelope } from "@touchmark/core";
import { openAuditor } from "@touchmark/log-server";
import {
  authority,
  claimPayload,
  digestOf,
  person,
  releasePayload,
  signedBy,
} from "../packages/verify/test/support/people.ts";
import { type Benchmark, median } from "./figure.ts";
import { type BareSignature, bareSignatures, memoryLog, ORIGIN } from "./support/memory-log.ts";

const TEAMS = 20;
const PACKAGES_PER_TEAM = 10;
const RELEASES = 30;
const BATCH = 32;
const ROUNDS = 9;

/**
 * An auditor replays a log of 6,000 releases, each signed by two of three holders, from its public files into its own database, against the bare
 * checks of the same signatures, in processor time of one thread.
 */
export const auditReplay: Benchmark = {
  name: "audit-replay",
  run: async () => {
    const statements = history();
    const now = Math.floor(Date.now() / 1000);
    const log = memoryLog(statements, BATCH, now);
    const signatures = bareSignatures(statements);
    const rates: { ours: number; floor: number }[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const ours = await cost(() => replay(log, now));
      const floor = await cost(() => checkAll(signatures));
      if (round > 0) rates.push({ ours: signatures.length / ours, floor: signatures.length / floor });
    }
    return [
      {
        name: "auditor's replay",
        ours: { what: "signatures, the whole replay of their entries", value: median(rates.map(({ ours }) => ours)) },
        floor: { what: "signatures, P-256 checks alone", value: median(rates.map(({ floor }) => floor)) },
        unit: "/s of CPU",
        target: { least: 0.7 },
      },
    ];
  },
};

function history(): Envelope[] {
  const statements: Envelope[] = [];
  for (let team = 0; team < TEAMS; team++) {
    const holders = ["ann", "ben", "cyd"].map((name) => person(name, `${name} of team ${team}`));
    const packages = Array.from({ length: PACKAGES_PER_TEAM }, (_, i) => `npm:npmjs/package-${team}-${i}`).toSorted();
    const claim = claimPayload({ packages, authority: authority(holders, 2), logs: [ORIGIN] });
    statements.push(signedBy(claim, holders));
    for (const packageId of packages) {
      for (let version = 0; version < RELEASES; version++) {
        const releaseId = `${packageId}@1.0.${version}`;
        const payload = releasePayload(releaseId, digestOf(releaseId), digestOf(`tar ${releaseId}`), [ORIGIN]);
        statements.push(signedBy(payload, holders.slice(0, 2)));
      }
    }
  }
  return statements;
}

async function replay({ endpoint, checkpoint }: ReturnType<typeof memoryLog>, now: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "touchmark-audit-"));
  const auditor = openAuditor({ dir, key: endpoint.key, clock: () => now });
  const verdict = await auditor.audit(endpoint, checkpoint);
  await auditor.close();
  rmSync(dir, { recursive: true });
  if (verdict.kind !== "good") throw new Error(`the log is ${verdict.kind}`);
}

function checkAll(signatures: readonly BareSignature[]): void {
  for (const { key, message, signature } of signatures) {
    if (!verify("sha256", message, key, signature)) throw new Error("a signature is bad");
  }
}

/** Seconds of processor time of the main thread, where both sides do all their work. */
async function cost(run: () => void | Promise<void>): Promise<number> {
  const before = process.threadCpuUsage();
  await run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1e6;
}
