import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Consumer, LockfileText } from "../support/consumer.ts";
import { type Packed, tarballUrl } from "../support/packed.ts";
import { EVIL, openWorkshop, type Workshop } from "../support/workshop.ts";

// A pull request that changes package-lock.json, or adds one: what its reviewer would have to see in a thousand lines.

let workshop: Workshop;
let consumer: Consumer;
let honest: string;
let honestCompanion: string;
let evil: Packed;
let signed: Packed;

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "verdaccio" });
  const authority = await workshop.claim("pewter", "@guild/pewter");
  signed = await workshop.release({ name: "pewter", version: "1.0.0" });
  await workshop.release({ name: "@guild/pewter", version: "1.0.0" });
  evil = await workshop.publish(workshop.evil("pewterr", "1.0.0"));
  await workshop.publish({
    name: "carrier",
    version: "1.0.0",
    files: { "fake/package.json": '{"name":"pewter","version":"1.0.0"}', "fake/index.js": `// ${EVIL}\n` },
  });
  consumer = workshop.consumer({
    packages: { pewter: { level: "strict", authority }, "@guild/*": { authority } },
    manifest: { dependencies: { pewter: "^1.0.0", "@guild/pewter": "1.0.0", carrier: "1.0.0" } },
  });
  const installed = await consumer.touchmark("npm install --ignore-scripts");
  expect(installed.exit, installed.text).toBe(0);
  honest = consumer.read("package-lock.json")!;
  honestCompanion = consumer.read("touchmark.lock")!;
});
beforeEach(() => {
  consumer.write("package-lock.json", honest);
  consumer.write("touchmark.lock", honestCompanion);
});
afterAll(() => workshop.close());

type Edit = (pewter: Record<string, unknown>, packages: LockfileText["packages"]) => void;

/** Both who checks and who installs refuse it; npm is never started, and what lay in node_modules stays. */
async function expectRefused(edit: Edit, code: string, sentence: string | RegExp): Promise<void> {
  consumer.editLockfile((packages) => edit(packages["node_modules/pewter"]!, packages));
  const edited = consumer.read("package-lock.json");
  const verified = await consumer.touchmark("verify");
  expect(verified.exit, verified.text).toBe(1);
  expect(verified.text).toMatch(sentence);
  expect(verified.text).toContain(`[${code} `);
  const installed = await consumer.touchmark("npm ci");
  expect(installed.exit, installed.text).toBe(1);
  expect(installed.text).toMatch(/^touchmark did not start npm:/);
  expect(installed.text).toMatch(sentence);
  expect(installed.text).toContain(`(${code})`);
  expect(consumer.filesWith(EVIL)).toEqual(["node_modules/carrier/fake/index.js"]);
  expect([consumer.read("package-lock.json"), consumer.read("touchmark.lock")]).toEqual([edited, honestCompanion]);
}

const SHA1 = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";

describe("I3: another address and its own integrity, which npm audit signatures would pass", () => {
  test("at another host", async () => {
    const elsewhere: Edit = (pewter) =>
      Object.assign(pewter, { resolved: "https://evil.example/pewter/-/pewter-1.0.0.tgz", integrity: evil.integrity });
    await expectRefused(elsewhere, "SOURCE_REFUSED", "which is not an address of a registry in the policy");
  });

  test("of another package at the same registry", async () => {
    const other: Edit = (pewter) =>
      Object.assign(pewter, { resolved: tarballUrl(workshop.registry.url, evil), integrity: evil.integrity });
    await expectRefused(other, "WRONG_ADDRESS", "Its address is that of another release");
  });

  test("with the right address and other bytes", async () => {
    const bytes: Edit = (pewter) => Object.assign(pewter, { integrity: evil.integrity });
    await expectRefused(
      bytes,
      "WRONG_DIGEST",
      /Other bytes than those signed: sha512 \w{16}… was signed, \w{16}… is here/,
    );
  });
});

describe("I4: integrity", () => {
  test.each<[string, string | undefined, string, string]>([
    ["none", undefined, "INTEGRITY_MISSING", "Nothing says which bytes are meant: it has no integrity"],
    ["sha1 alone", SHA1, "INTEGRITY_WEAK", "Nothing says which bytes are meant: its integrity is sha1 only"],
  ])("%s", async (_, integrity, code, sentence) => {
    await expectRefused((pewter) => Object.assign(pewter, { integrity }), code, sentence);
  });

  test("of several the strongest decides, and the weakest may match as it will", async () => {
    const weak = `${SHA1} ${evil.integrity}`;
    await expectRefused((pewter) => Object.assign(pewter, { integrity: weak }), "WRONG_DIGEST", "Other bytes");
    const both = `${signed.integrity} ${evil.integrity}`;
    const ambiguous: Edit = (pewter) => Object.assign(pewter, { integrity: both });
    consumer.write("package-lock.json", honest);
    await expectRefused(ambiguous, "INTEGRITY_AMBIGUOUS", "it names several sha512 values");
    consumer.write("package-lock.json", honest);
    consumer.editLockfile((packages) =>
      Object.assign(packages["node_modules/pewter"]!, { integrity: `${SHA1} ${signed.integrity}` }),
    );
    expect((await consumer.touchmark("verify")).exit).toBe(0);
  });
});

describe("I5: what is no registry tarball is named and refused", () => {
  test.each<[string, Edit, string]>([
    [
      "git",
      (pewter) => Object.assign(pewter, { resolved: "git+ssh://git@git.example/p.git#0123" }),
      "takes nothing from git",
    ],
    [
      "a tarball on disk",
      (pewter) => Object.assign(pewter, { resolved: "file:pewter.tgz" }),
      "takes nothing from the disk",
    ],
    [
      "a folder outside",
      (_, packages) => (packages["node_modules/pewter"] = { resolved: "../pewter", link: true }),
      "It comes from ../pewter",
    ],
    [
      "a folder in another package's tarball",
      (_, packages) => {
        packages["node_modules/pewter"] = { resolved: "node_modules/carrier/fake", link: true };
        packages["node_modules/carrier/fake"] = { name: "pewter", version: "1.0.0" };
      },
      "It comes from node_modules/carrier/fake",
    ],
  ])("%s", async (_, edit, sentence) => {
    await expectRefused(edit, "SOURCE_REFUSED", sentence);
  });

  test("an alias is held to the rule of the name that it is imported by", async () => {
    const alias: Edit = (_, packages) => {
      const resolved = tarballUrl(workshop.registry.url, evil);
      packages["node_modules/pewter"] = { name: "pewterr", version: "1.0.0", resolved, integrity: evil.integrity };
    };
    const sentence = "It is installed as pewter and is not that package, for which the policy names an authority";
    await expectRefused(alias, "SOURCE_REFUSED", sentence);
  });

  test("bundled is believed of no package that bundles nothing, and never at the top", async () => {
    const top: Edit = (pewter) => {
      delete pewter["resolved"];
      Object.assign(pewter, { inBundle: true, version: "1.0.1", integrity: evil.integrity });
    };
    await expectRefused(top, "NOT_SIGNED", "Not signed yet");
  });
});

describe("I9: a release of one package for another", () => {
  test("a look-alike name", async () => {
    // All but the name is of pewter's signed release.
    const renamed: Edit = (pewter) => {
      const resolved = tarballUrl(workshop.registry.url, { name: "pewterr", version: "1.0.0" });
      Object.assign(pewter, { name: "pewterr", resolved });
    };
    await expectRefused(renamed, "SOURCE_REFUSED", "It is installed as pewter and is not that package");
  });

  test("another scope", async () => {
    const swapped: Edit = (pewter, packages) =>
      Object.assign(packages["node_modules/@guild/pewter"]!, { integrity: pewter["integrity"] });
    await expectRefused(swapped, "WRONG_DIGEST", /@guild\/pewter@1\.0\.0[^]*Other bytes than those signed/);
  });

  test("another registry of the policy", async () => {
    consumer.setPolicy({ registries: { npmjs: [workshop.registry.url], corp: ["https://corp.example/npm/"] } });
    try {
      const moved: Edit = (pewter) =>
        Object.assign(pewter, { resolved: "https://corp.example/npm/pewter/-/pewter-1.0.0.tgz" });
      consumer.editLockfile((packages) => moved(packages["node_modules/pewter"]!, packages));
      const outcome = await consumer.touchmark("verify --online");
      expect(outcome.exit, outcome.text).toBe(1);
      expect(outcome.text).toContain(
        "The policy names an authority for this package, but nobody has claimed it in the log. [NOT_CLAIMED V-13]",
      );
    } finally {
      consumer.setPolicy({});
    }
  });
});

describe("the file itself", () => {
  test.each<[string, (text: string) => string, string]>([
    [
      "a key that stands twice",
      (text) => text.replace('"node_modules/pewter": {', '"node_modules/pewter": {}, $&'),
      "LOCKFILE_MALFORMED",
    ],
    [
      "a place out of the project",
      (text) => text.replace('"node_modules/pewter"', '"node_modules/../../pewter"'),
      "LOCKFILE_MALFORMED",
    ],
    [
      "an old version, which says less",
      (text) => text.replace('"lockfileVersion": 3', '"lockfileVersion": 1'),
      "LOCKFILE_VERSION",
    ],
    ["half of it", (text) => text.slice(0, text.length / 2), "LOCKFILE_MALFORMED"],
  ])("%s is not read", async (_, edit, code) => {
    consumer.write("package-lock.json", edit(honest));
    const verified = await consumer.touchmark("verify");
    expect([verified.exit, verified.text]).toEqual([
      2,
      expect.stringMatching(new RegExp(`^error: The lockfile .*\\[${code}\\]`)),
    ]);
    const installed = await consumer.touchmark("npm ci");
    expect(installed.exit).toBe(1);
    expect(installed.text).toMatch(/^touchmark did not start npm:\n {2}package-lock\.json: /);
  });

  test("a shrinkwrap beside it, which npm prefers, is what is checked", async () => {
    consumer.write("npm-shrinkwrap.json", honest.replace(signed.integrity, evil.integrity));
    try {
      for (const command of ["verify", "npm ci"]) {
        const outcome = await consumer.touchmark(command);
        expect(outcome.exit, command).toBe(1);
        expect(outcome.text).toContain("WRONG_DIGEST");
      }
    } finally {
      consumer.remove("npm-shrinkwrap.json");
    }
  });
});
