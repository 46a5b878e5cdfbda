import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Consumer } from "../support/consumer.ts";
import { packRelease, tarballUrl } from "../support/packed.ts";
import { runTouchmark } from "../support/touchmark.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// I16: whoever can put words into our output could move the cursor, hide a line, or let a refusal read like an acceptance.

let workshop: Workshop;
let consumer: Consumer;

/** Clears the screen, renames the window, turns the reading direction, and hides. */
const TRICKS = "\u001b[2K\u001b[1A\u001b]0;owned\u0007\u009b31m\u202etfel\u2066x\u200b\r\b";

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
  const authority = await workshop.claim("pewter");
  await workshop.release({ name: "pewter", version: "1.0.0" });
  consumer = workshop.consumer({ packages: { pewter: { authority } } });
});
afterAll(() => workshop.close());

/** Says that there was something, and nothing of it gets through. */
function expectClean(text: string, shown: string | RegExp = "\\u{1b}"): void {
  expect(text).toMatch(shown);
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
}

function lockEntry(path: string, entry: object): void {
  consumer.write("package-lock.json", { lockfileVersion: 3, packages: { "": {}, [path]: entry } });
}

const pewter = packRelease({ name: "pewter", version: "1.0.0" });

describe("I16: a lockfile's", () => {
  const good = (): object => ({
    version: "1.0.0",
    resolved: tarballUrl(workshop.registry.url, pewter),
    integrity: pewter.integrity,
  });

  test.each<[string, string, () => object]>([
    ["names", "node_modules/pewter", () => ({ ...good(), name: `pewter${TRICKS}` })],
    ["versions", "node_modules/pewter", () => ({ ...good(), version: `1.0.0${TRICKS}` })],
    ["addresses", "node_modules/pewter", () => ({ ...good(), resolved: `https://evil.example/${TRICKS}` })],
    ["sources", "node_modules/pewter", () => ({ version: "1.0.0", resolved: `git+ssh://${TRICKS}` })],
    ["places", `node_modules/pewter${TRICKS}`, good],
  ])("%s", async (_, path, entry) => {
    lockEntry(path, entry());
    for (const command of ["verify --online", "verify --online --json", "npm ci"]) {
      const outcome = await consumer.touchmark(command, { env: { npm_config_registry: workshop.registry.url } });
      expect(outcome.exit, outcome.text).not.toBe(0);
      expectClean(outcome.text, /u\{?(?:00)?1b/);
    }
  });
});

test("I16: an exception's reason and author", async () => {
  lockEntry("node_modules/pewter", {
    version: "1.0.1",
    resolved: tarballUrl(workshop.registry.url, { name: "pewter", version: "1.0.1" }),
    integrity: pewter.integrity,
  });
  const until = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
  const exception = { package: "npm:npmjs/pewter@1.0.1", reason: `fine${TRICKS}`, author: `alice${TRICKS}`, until };
  consumer.setPolicy({ exceptions: [exception] });
  const outcome = await consumer.touchmark("verify --online");
  consumer.setPolicy({});
  expect(outcome.exit).toBe(0);
  expectClean(outcome.text);
});

describe("I16: a log's", () => {
  const says: NonNullable<Consumer["fetch"]> = async () =>
    Response.json({ code: `OK${TRICKS}`, message: `accepted${TRICKS}`, hint: `all is well${TRICKS}` }, { status: 422 });

  test("refusals, by whoever checks and by whoever submits", async () => {
    lockEntry("node_modules/pewter", {
      version: "1.0.0",
      resolved: tarballUrl(workshop.registry.url, pewter),
      integrity: pewter.integrity,
    });
    const checked = await consumer.touchmark("verify --online", { fetch: says });
    expect(checked.exit).toBe(3);
    expectClean(checked.text);
    const submitted = await runTouchmark(["submit", "pewter.claim.touchmark"], { ...workshop.makers, fetch: says });
    expect(submitted.exit).toBe(1);
    expectClean(submitted.text);
  });

  test("answers to a submission", async () => {
    const strange: NonNullable<Consumer["fetch"]> = async () =>
      Response.json({ entries: { [TRICKS]: 0 }, checkpoint: TRICKS });
    const submitted = await runTouchmark(["submit", "pewter.claim.touchmark"], { ...workshop.makers, fetch: strange });
    expect(submitted.exit).toBe(3);
    expectClean(submitted.text, "error: ");
  });
});

describe("I16: a file's", () => {
  test("name on the command line", async () => {
    for (const command of ["verify", "sign", "submit", "export"]) {
      const outcome = await runTouchmark(
        [command, `x${TRICKS}.tgz`, ...(command === "export" ? ["--out", "x"] : [])],
        workshop.makers,
      );
      expect(outcome.exit).not.toBe(0);
      expectClean(outcome.text);
    }
  });

  test("content: what a tarball, a card and a policy say", async () => {
    const { directory } = workshop.makers;
    const odd = packRelease({
      name: "odd",
      version: "1.0.0",
      manifest: { name: `odd${TRICKS}`, version: `1${TRICKS}` },
    });
    writeFileSync(join(directory, "odd.tgz"), odd.tarball);
    writeFileSync(join(directory, "odd.card"), JSON.stringify({ holder: `alice${TRICKS}`, key: TRICKS }));
    writeFileSync(join(directory, "odd.json"), JSON.stringify({ [TRICKS]: 1, version: TRICKS }));
    for (const command of [
      "sign odd.tgz --yes",
      "verify odd.tgz",
      "claim odd --key odd.card --threshold 1 --out odd.touchmark",
      "verify --policy odd.json",
    ]) {
      const outcome = await runTouchmark(command.split(" "), workshop.makers);
      expect(outcome.exit).not.toBe(0);
      expectClean(outcome.text, "");
    }
  });
});
