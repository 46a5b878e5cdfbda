import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { companionText } from "../support/companion.ts";
import type { Consumer } from "../support/consumer.ts";
import { openLog } from "../support/log.ts";
import { type Packed, packRelease, tarballUrl } from "../support/packed.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// A pull request that changes touchmark.json or touchmark.lock, and what time does to exceptions.

let workshop: Workshop;
let consumer: Consumer;
let authority: string;

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
  authority = await workshop.claim("pewter");
  const signed = await workshop.release({ name: "pewter", version: "1.0.0" });
  consumer = workshop.consumer({ packages: { pewter: { level: "strict", authority } } });
  lock(signed, packRelease({ name: "tin", version: "1.0.0" }));
});
beforeEach(() => {
  consumer.setPolicy({});
});
afterAll(() => workshop.close());

function lock(...releases: Packed[]): void {
  const entries = releases.map((packed) => {
    const { name, version, integrity } = packed;
    return [
      `node_modules/${name}`,
      { version, resolved: tarballUrl(workshop.registry.url, packed), integrity },
    ] as const;
  });
  consumer.write("package-lock.json", { lockfileVersion: 3, packages: { "": {}, ...Object.fromEntries(entries) } });
}

const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

function exception(release: string, until: string): object {
  return { package: release, reason: "waiting for the holders", author: "alice", until };
}

describe("I17: exceptions", () => {
  test.each<[string, object, RegExp]>([
    [
      "past its day",
      exception("npm:npmjs/pewter@1.0.1", day(-1)),
      /ended on .* \[EXCEPTION_BAD\]\nhint: Remove it, or renew it with "until": "\d{4}-\d{2}-\d{2}"\./,
    ],
    [
      "for every version",
      exception("npm:npmjs/pewter@*", day(30)),
      /not one exact release\. \[EXCEPTION_BAD\]\nhint: Write "npm:<registry>\/<name>@<version>"; wildcards are not taken\./,
    ],
    ["for every package", exception("*", day(30)), /not one exact release\. \[EXCEPTION_BAD\]/],
    ["for a range", exception("npm:npmjs/pewter@^1.0.0", day(30)), /not one exact release\. \[EXCEPTION_BAD\]/],
    [
      "for longer than a season",
      exception("npm:npmjs/pewter@1.0.1", day(120)),
      /longer than 90 days\. \[EXCEPTION_BAD\]\nhint: Write "until": /,
    ],
    ["until a day that there is not", exception("npm:npmjs/pewter@1.0.1", "2027-02-30"), /no day\. \[EXCEPTION_BAD\]/],
  ])("%s is an error with the line that mends it, and nothing is installed", async (_, bad, words) => {
    consumer.setPolicy({ exceptions: [bad] });
    for (const command of ["verify --online", "npm ci"]) {
      const outcome = await consumer.touchmark(command);
      expect([outcome.exit, outcome.text]).toEqual([2, expect.stringMatching(words)]);
    }
    expect(consumer.has("node_modules")).toBe(false);
  });

  test("for what isn't in the lockfile: it is said which to remove", async () => {
    consumer.setPolicy({ exceptions: [exception("npm:npmjs/pewter@0.9.0", day(30))] });
    const outcome = await consumer.touchmark("verify --online");
    expect(outcome.exit, outcome.text).toBe(0);
    expect(outcome.stderr).toBe(
      "warning: The exception for npm:npmjs/pewter@0.9.0 is not needed. [EXCEPTION_UNUSED]\nhint: Remove it from touchmark.json.\n",
    );
  });

  test("one that holds is named whenever it is used; it never covers other bytes", async () => {
    consumer.setPolicy({
      exceptions: [exception("npm:npmjs/pewter@1.0.1", day(30)), exception("npm:npmjs/pewter@1.0.0", day(30))],
    });
    const before = consumer.read("package-lock.json")!;
    lock(packRelease({ name: "pewter", version: "1.0.1" }));
    const used = await consumer.touchmark("verify --online");
    expect([used.exit, used.text]).toEqual([
      0,
      expect.stringMatching(
        /pewter@1\.0\.1 {2}by an exception[^]*by alice: waiting for the holders \[EXCEPTION_USED V-19\]/,
      ),
    ]);
    lock(packRelease({ name: "pewter", version: "1.0.0", files: { "index.js": "other" } }));
    const other = await consumer.touchmark("verify --online");
    expect([other.exit, other.text]).toEqual([1, expect.stringContaining("[WRONG_DIGEST V-15]")]);
    consumer.write("package-lock.json", before);
  });
});

describe("touchmark.json", () => {
  const text = (): string => consumer.read("touchmark.json")!;

  test.each<[string, () => string, RegExp]>([
    [
      "a key that stands twice, the second laxer",
      () => text().replace('"strict"', '"strict", "level": "observe"'),
      /cannot be read: .*twice.* \[POLICY_MALFORMED\]/,
    ],
    [
      "a package that stands twice",
      () => text().replace('"pewter":', '"pewter": {"level": "observe"}, "pewter":'),
      /cannot be read: .*twice/,
    ],
    [
      "keys that mean nothing, all at once",
      () => text().replace('"version": 1', '"version": 1, "ignore": true, "levels": {}'),
      /unknown keys "ignore", "levels"/,
    ],
    [
      "a rule's key misspelt",
      () => text().replace('"authority"', '"autority"'),
      /packages\["pewter"\] has the unknown key "autority"/,
    ],
    [
      "a level that there isn't",
      () => text().replace('"strict"', '"Strict"'),
      /level of "pewter" is not observe, ratchet or strict/,
    ],
    [
      "a registry without TLS's sister",
      () => text().replace("https://registry.example/", "ftp://registry.example/"),
      /not an http\(s\) URL/,
    ],
    [
      "a log over the open network",
      () => text().replace(/http:\/\/127[^"]*/, "http://log.example/"),
      /log\.url is not an https address/,
    ],
    [
      "another log's key",
      () => text().replace('"origin": "log.example/attacked"', '"origin": "log.example/other"'),
      /log\.key is not a key of log\.origin/,
    ],
    ["a comment", () => `// trust me\n${text()}`, /cannot be read/],
    ["a list", () => "[]", /not a JSON object/],
  ])("%s is refused", async (_, edit, words) => {
    consumer.write("touchmark.json", edit());
    for (const command of ["verify --online", "npm ci"]) {
      const outcome = await consumer.touchmark(command);
      expect([outcome.exit, outcome.text]).toEqual([2, expect.stringMatching(words)]);
    }
  });
});

describe("touchmark.lock", () => {
  const other = `sha256:${"5".repeat(64)}`;
  let honest: string;

  beforeAll(async () => {
    const known = { "npm:npmjs/pewter": ["1.0.0"], "npm:npmjs/tin": ["1.0.0"] };
    honest = await companionText(workshop.log.endpoint.url, known, { "npm:npmjs/pewter": authority });
  });
  afterEach(() => {
    consumer.remove("touchmark.lock");
  });

  async function expectRefused(text: string, exit: number, words: RegExp, command = "verify"): Promise<void> {
    consumer.write("touchmark.lock", text);
    const outcome = await consumer.touchmark(command);
    expect([outcome.exit, outcome.text]).toEqual([exit, expect.stringMatching(words)]);
    expect(consumer.read("touchmark.lock")).toBe(text);
  }

  test("as it should be", async () => {
    consumer.write("touchmark.lock", honest);
    const outcome = await consumer.touchmark("verify");
    expect([outcome.exit, outcome.text]).toEqual([0, expect.stringContaining("2 packages: 1 signed, 1 unclaimed")]);
  });

  test("a pin that is swapped changes nothing where the policy names the authority, and stops where it doesn't", async () => {
    const swapped = honest.replace(authority, other);
    consumer.write("touchmark.lock", swapped);
    expect((await consumer.touchmark("verify")).exit).toBe(0);
    consumer.setPolicy({ packages: {} });
    const changed =
      /The authority changed hands: sha256:555555555555 was expected, its claims are pending\. \[AUTHORITY_CHANGED V-13\]/;
    await expectRefused(swapped, 1, changed);
  });

  test("with the policy's own pin gone, it still holds the package to its holders", async () => {
    consumer.setPolicy({ packages: {} });
    await expectRefused(
      honest,
      1,
      /the policy doesn't name it any more\. \[AUTHORITY_CHANGED V-13\]\n {2}hint: Put "authority": "sha256:/,
    );
  });

  test("a pin for a package that nobody has claimed", async () => {
    const pinned = honest.replace(
      '"}\n},\n"checkpoint"',
      `"},\n"npm:npmjs/tin":{"authority":"${other}","epoch":1,"entry":1,"proof":""}\n},\n"checkpoint"`,
    );
    expect(pinned).not.toBe(honest);
    await expectRefused(pinned, 1, /was held by sha256:5{12} and is not claimed any more\. \[AUTHORITY_CHANGED V-13\]/);
  });

  test("evidence of another log, offline and online", async () => {
    const foreign = await openLog(join(workshop.root, "foreign"), "log.example/of-the-thief");
    const text = await companionText(foreign.endpoint.url, {
      "npm:npmjs/pewter": ["1.0.0"],
      "npm:npmjs/tin": ["1.0.0"],
    });
    await foreign.close();
    await expectRefused(text, 3, /\[CHECKPOINT_BAD V-2\]/);
    await expectRefused(
      text,
      3,
      /touchmark\.lock is not of the policy's log .*\[EVIDENCE_MALFORMED V-5\]/,
      "verify --online",
    );
  });

  test.each<[string, (text: string) => string]>([
    ["a pin that stands twice", (text) => text.replace(/("npm:npmjs\/pewter":\{[^}]+\})\n/, "$1,\n$1\n")],
    ["a second document behind it", (text) => `${text}{}`],
    ["a key that nobody knows", (text) => text.replace('"pins":', '"trust":{},\n"pins":')],
    ["another layout", (text) => JSON.stringify(JSON.parse(text))],
    ["nothing", () => ""],
  ])("%s is no touchmark.lock", async (_, edit) => {
    const edited = edit(honest);
    expect(edited).not.toBe(honest);
    const words = /touchmark\.lock cannot be used: .*\[EVIDENCE_MALFORMED V-1\]\nhint: Restore it from git/;
    await expectRefused(edited, 3, words);
    await expectRefused(edited, 3, words, "verify --online");
  });
});
