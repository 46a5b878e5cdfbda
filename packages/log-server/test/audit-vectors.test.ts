import { readFileSync } from "node:fs";
import { fetchCheckpoint, type LogEndpoint, parseVerifierKey } from "@touchmark/log";
import { describe, expect, test } from "vitest";
import { auditJudge, openAuditor } from "../src/index.ts";
import { naiveLeaf } from "../../log/test/naive.ts";
import { AUDIT_VECTORS, type AuditCase, type ServedLog, type Verdict } from "./support/audit-vectors.ts";
import { temporaryFolder } from "./support/log.ts";

// Chapter 09 as data for other implementations: test/vectors/auditing/logs.json. Each log is served as its operator would, and audited.

const cases = JSON.parse(readFileSync(new URL("logs.json", AUDIT_VECTORS), "utf8")) as AuditCase[];

describe("[M-1] to [M-8] an auditor", () => {
  test.each(cases)("$name", async ({ now, verdict, ...served }) => {
    const { dir, remove } = temporaryFolder();
    const log = serve(served);
    const auditor = openAuditor({ dir, key: log.key, clock: () => now });
    const { note } = await fetchCheckpoint(log);
    let told: Verdict = "cosigned";
    const judge = auditJudge(auditor, log, (seen) => {
      if (seen.kind === "broken") told = { broken: seen.halt.problem.rule, leaf: seen.halt.problem.index };
      if (seen.kind === "unchecked") told = { unchecked: seen.error.code === "BAD_TILE" ? "M-3" : "M-8" };
    });
    const objection = await judge({ checkpoint: await fetchCheckpoint(log), note, oldSize: 0 });
    if (objection?.message.includes("[M-7]")) told = { unchecked: "M-7" };
    expect(told).toEqual(verdict);
    expect(objection === null ? "cosigned" : objection.final).toBe(
      verdict === "cosigned" ? verdict : "broken" in verdict,
    );
    await auditor.close();
    remove();
  });
});

/** A log that serves what is in the case, and nothing else. */
function serve({ key, checkpoint, leaves, envelopes, earlier }: ServedLog): LogEndpoint {
  const bytes = leaves.map((leaf) => Buffer.from(leaf, "hex"));
  const files = new Map<string, string | Buffer>([
    ["checkpoint", checkpoint],
    [`tile/0/000.p/${leaves.length}`, Buffer.concat(bytes.map(naiveLeaf))],
    [`tile/entries/000.p/${leaves.length}`, Buffer.concat(bytes.flatMap((leaf) => [Buffer.of(0, leaf.length), leaf]))],
    ...Object.entries(envelopes).map(([hash, text]) => [`envelope/${hash}`, text] as const),
    ...Object.entries(earlier).map(([root, list]) => [`earlier/${root}`, list] as const),
  ]);
  const url = "https://log.example/";
  return {
    url,
    key: parseVerifierKey(key),
    fetch: async (path) => {
      const file = files.get(path.slice(url.length));
      return file === undefined ? new Response("{}", { status: 404 }) : new Response(file);
    },
  };
}
