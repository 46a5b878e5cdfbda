import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkModel, isSound, MODELS } from "../model/check-models.ts";
import { buildChecker, missingSpin, readModel, removeChecker, runChecker } from "../model/checker.ts";

// The rules of authority, written once more in another language and walked through to the last state.

const ROOT = join(import.meta.dirname, "..");
const missing = findMissing();

describe("the models of the authority rules", () => {
  test("cite rules that exist, and every chapter's paragraph that they are about", () => {
    const spec = readdirSync(join(ROOT, "docs/spec")).map((file) =>
      readFileSync(join(ROOT, "docs/spec", file), "utf8"),
    );
    const defined = new Set(
      spec.flatMap((text) => [...text.matchAll(/\*\*\[([A-Z]-\d+)\]\*\*/g)].map(([, rule]) => rule)),
    );
    const models = MODELS.map((name) => readFileSync(join(ROOT, "model", `${name}.pml`), "utf8"));
    const cited = models.flatMap((text) => [...text.matchAll(/\[([A-Z]-\d+)\]/g)].map(([, rule]) => rule!));
    expect(cited.length).toBeGreaterThan(20);
    expect(cited.filter((rule) => !defined.has(rule))).toEqual([]);
  });

  test("are all of the folder's, each with guards to take out and goals to reach", () => {
    const files = readdirSync(join(ROOT, "model")).filter((file) => file.endsWith(".pml"));
    expect(files.map((file) => file.slice(0, -".pml".length)).toSorted()).toEqual(MODELS.toSorted());
    for (const name of MODELS) {
      const { switches } = readModel(name);
      expect(new Set(switches.map(({ kind }) => kind))).toEqual(new Set(["guard", "goal"]));
      expect(new Set(switches.map(({ number }) => number)).size).toBe(switches.length);
    }
  });
});

describe.skipIf(missing !== undefined)(`spin${missing === undefined ? "" : ` (left out: ${missing})`}`, () => {
  for (const name of MODELS) {
    test(`${name}: the rules hold in every state, and no guard is idle`, async () => {
      const report = await checkModel(name);
      expect(report.rules.filter(({ violation }) => violation !== null)).toEqual([]);
      expect(report.switches.filter(({ foundIn }) => foundIn === null)).toEqual([]);
      expect(report.rules.reduce((sum, { states }) => sum + states, 0)).toBeGreaterThan(500);
      expect(isSound(report)).toBe(true);
    });
  }

  test("says what was violated", async () => {
    const model = readModel("holds");
    const checker = await buildChecker(model, "HOLDS");
    try {
      const again = model.switches.find(({ description }) => description.includes("made again"))!;
      const { violation } = await runChecker(checker, { number: again.number, watched: false });
      expect(violation).toContain("assertion violated (held[");
    } finally {
      removeChecker(checker);
    }
  });
});

function findMissing(): string | undefined {
  const reason = missingSpin();
  if (reason === undefined) return undefined;
  if (process.env["CI"] !== undefined) throw new Error(reason);
  process.stderr.write(`skipped: the models of the authority rules are not checked: ${reason}\n`);
  return reason;
}
