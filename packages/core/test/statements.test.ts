import { describe, expect, test } from "vitest";
import {
  type AuthorityDraft,
  type ClaimedPackage,
  encodeClaim,
  encodeEarlierLeaf,
  encodeHex,
  encodeRelease,
  encodeUtf8,
  parseStatement,
  parseUtf8,
  statementChains,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import type { PayloadCase } from "./make-vectors/payload-case.ts";
import { refusalOf } from "./support/refusal.ts";
import { makeSoftKey } from "./support/soft-key.ts";
import { readVectors } from "./support/vectors.ts";

const cases = readVectors<PayloadCase>("payloads.json");
const EMPTY = { size: 0, root: nobleCrypto.sha256(new Uint8Array(0)) };
const LOGS = ["log.example/main"];

describe("statements: refused", () => {
  test.each(cases.filter(({ error }) => error !== null))("[$rule] $name", ({ payload, error }) => {
    expect(refusalOf(() => parse(payload))).toEqual(error);
  });

  test("every rule of a statement's form is among the cases", () => {
    const rules = new Set(cases.filter(({ error }) => error !== null).map(({ rule }) => rule));
    const form = ["S-6", "S-7", "S-8", "S-9", "S-10", "S-11", "S-12", "S-13", "S-15", "S-17", "S-18", "S-19"];
    expect([...rules]).toEqual(expect.arrayContaining(form));
  });

  test("[C-15] a statement of more than 1 MiB", () => {
    expect(refusalOf(() => parse(`"${"a".repeat(1024 * 1024 - 2)}"`))).toEqual({ code: "MALFORMED", rule: "S-6" });
    expect(refusalOf(() => parse(`"${"a".repeat(1024 * 1024 - 1)}"`))).toEqual({ code: "TOO_LARGE", rule: "C-15" });
  });

  test("[C-16] a kind that is not known is named in clean text", () => {
    const release = JSON.parse(cases.find(({ rule, error }) => rule === "S-18" && error === null)!.payload) as object;
    const hostile = JSON.stringify({ ...release, predicateType: "\u{1b}]0;\u{202e}" });
    expect(() => parse(hostile)).toThrow('"\\u{1b}]0;\\u{202e}"');
  });
});

describe("statements: accepted", () => {
  test.each(cases.filter(({ error }) => error === null))("[$rule] $name", (one) => {
    const statement = parse(one.payload);
    const value = JSON.parse(one.payload) as { subject: { name: string }[]; predicate: { logs: string[] } };
    expect(encodeHex(nobleCrypto.sha256(encodeUtf8(one.payload)))).toBe(one.digest); // [S-6]
    expect(statement.logs).toEqual(value.predicate.logs);
    const named = statement.kind === "claim" ? statement.packages : statement.kind === "release" && statement.releases;
    expect(named && [...named.keys()]).toEqual(value.subject.map(({ name }) => name));
    expect(statement.kind === "claim" ? statement.authority.digest : null).toBe(one.authorityDigest); // [S-14]
  });
});

describe("a claim's draft, written and read", () => {
  const [alice, bob, carol] = ["alice", "bob", "carol"].map((holder) => ({
    holder,
    record: makeSoftKey({ seed: holder }).record,
  })) as [Held, Held, Held];
  const backup = { holder: "alice", record: makeSoftKey({ seed: "alice's backup" }).record };

  test("[S-7], [S-8], [S-12] everything is sorted", () => {
    const packages = packagesOf("npm:npmjs/widget", "npm:npmjs/@acme/gadget");
    const logs = ["z.example", "a.example"];
    const authority = { keys: [carol, backup, bob, alice], releaseThreshold: 2 };
    const claim = parse(parseUtf8(encodeClaim(nobleCrypto, { logs, packages, authority })));
    expect(claim.logs).toEqual(["a.example", "z.example"]);
    expect(statementChains(claim)).toEqual(["npm:npmjs/@acme/gadget", "npm:npmjs/widget"]);
    expect(claim.kind === "claim" && claim.authority.keys.map(({ holder }) => holder)).toEqual([
      "alice",
      "alice",
      "bob",
      "carol",
    ]);
  });

  test.each([
    [1, 1, 1],
    [1, 2, 2],
    [2, 2, 2],
    [1, 3, 2],
    [3, 3, 3],
  ])(
    "[S-13] m = %i of %i holders: c is %i where nothing else is said",
    (releaseThreshold, holders, changeThreshold) => {
      const authority = authorityOf({ keys: [alice, bob, carol].slice(0, holders), releaseThreshold });
      expect(authority).toMatchObject({ releaseThreshold, changeThreshold, recovery: null, successors: [] });
      expect(authority).toMatchObject({ adoption: "ask", userVerification: false, deviceBound: false });
    },
  );

  test("[S-5], [S-13] c counts holders, not keys", () => {
    expect(authorityOf({ keys: [alice, backup], releaseThreshold: 1 }).changeThreshold).toBe(1);
  });

  test("every choice is kept", () => {
    const object = "oA==";
    const authority = authorityOf({
      keys: [{ ...alice, attestation: { format: "packed", object, clientData: "e30=" } }, bob],
      releaseThreshold: 1,
      changeThreshold: 2,
      recovery: { threshold: 1, keys: [carol] },
      successors: [makeSoftKey({ seed: "z" }).fingerprint, makeSoftKey({ seed: "y" }).fingerprint],
      adoption: "never",
      userVerification: true,
      deviceBound: true,
    });
    expect(authority).toMatchObject({ adoption: "never", userVerification: true, deviceBound: true });
    expect(authority.keys[0]?.attestation).toEqual({
      format: "packed",
      object: Uint8Array.of(0xa0),
      clientData: Uint8Array.of(0x7b, 0x7d),
    });
    expect(authority.recovery).toMatchObject({ threshold: 1, keys: [{ holder: "carol" }] });
    expect(authority.successors.length).toBe(2);
  });

  test("[C-15] an attestation of 8 KiB, and no more", () => {
    const attested = (bytes: number): AuthorityDraft => {
      const object = Buffer.alloc(bytes).toString("base64");
      return { keys: [{ ...alice, attestation: { format: "packed", object } }], releaseThreshold: 1 };
    };
    expect(authorityOf(attested(8192)).keys[0]?.attestation?.object.length).toBe(8192);
    expect(refusalOf(() => authorityOf(attested(8193)))).toEqual({ code: "TOO_LARGE", rule: "C-15" });
  });

  test("[S-14] the digest does not depend on the package, nor on the order of the draft", () => {
    const one = authorityOf({ keys: [alice, bob], releaseThreshold: 2 }, "npm:npmjs/widget");
    const two = authorityOf({ keys: [bob, alice], releaseThreshold: 2 }, "npm:npmjs/gadget");
    expect(two.digest).toBe(one.digest);
    expect(authorityOf({ keys: [bob, alice], releaseThreshold: 1 }).digest).not.toBe(one.digest);
  });

  test("[S-17] previous, [S-15] earlier versions", () => {
    const place = {
      previous: new Uint8Array(32).fill(1),
      earlier: { size: 3, root: new Uint8Array(32).fill(2) },
      proof: null,
    };
    const packages = new Map([["npm:npmjs/widget", place]]);
    const authority = { keys: [alice], releaseThreshold: 1 };
    const claim = parse(parseUtf8(encodeClaim(nobleCrypto, { logs: LOGS, packages, authority })));
    expect(claim.kind === "claim" && claim.packages.get("npm:npmjs/widget")).toEqual(place);
    expect(parseUtf8(encodeEarlierLeaf("1.0.0", "ab"))).toBe("1.0.0 ab");
  });
});

describe("a release's draft, written and read", () => {
  const digests = { sha512: "ab".repeat(64), tarSha512: "cd".repeat(64) };

  test("[S-7], [S-18] subjects are sorted, bases kept", () => {
    const payload = encodeRelease({
      logs: ["z.example", "a.example"],
      releases: [
        { releaseId: "npm:npmjs/widget@1.10.0", ...digests, base: "1.9.0" },
        { releaseId: "npm:npmjs/@acme/gadget@2.0.0", ...digests },
        { releaseId: "npm:npmjs/widget@1.1.0", ...digests },
      ],
      source: { repository: "https://git.example/x", commit: "ab".repeat(20) },
    });
    const release = parse(parseUtf8(payload));
    expect(statementChains(release)).toEqual(["npm:npmjs/@acme/gadget", "npm:npmjs/widget"]);
    expect(release.kind === "release" && [...release.releases.entries()]).toEqual([
      ["npm:npmjs/@acme/gadget@2.0.0", details("npm:npmjs/@acme/gadget", "2.0.0", null)],
      ["npm:npmjs/widget@1.1.0", details("npm:npmjs/widget", "1.1.0", null)],
      ["npm:npmjs/widget@1.10.0", details("npm:npmjs/widget", "1.10.0", "1.9.0")],
    ]);
    expect(release.kind === "release" && release.source).toEqual({
      repository: "https://git.example/x",
      commit: "ab".repeat(20),
    });
  });

  test("[C-15] 500 subjects fit, with the longest names, versions and bases", () => {
    const version = (n: number): string => `1.0.${n}-${"a".repeat(256)}`.slice(0, 256);
    const scope = `@${"s".repeat(106)}`;
    const releases = Array.from({ length: 500 }, (_, i) => ({
      releaseId: `npm:${"r".repeat(63)}/${scope}/${`${i}`.padStart(106, "n")}@${version(i)}`,
      ...digests,
      base: version(i + 1),
    }));
    const logs = Array.from({ length: 8 }, (_, i) => `${i}`.padStart(128, "l"));
    const source = { repository: "r".repeat(256), commit: "a".repeat(64) };
    const payload = encodeRelease({ logs, releases, source });
    const release = parse(parseUtf8(payload).replaceAll(/"base":"[^"]*"/g, `$&,"stage":"${"s".repeat(128)}"`));
    expect(release.kind === "release" && release.releases.size).toBe(500);
    expect(releases[0]!.releaseId.length).toBe(4 + 63 + 1 + 214 + 1 + 256);
  });

  test("[S-7] a release id that stands twice in a draft is refused when it is read", () => {
    const twice = { releaseId: "npm:npmjs/widget@1.0.0", ...digests };
    const payload = encodeRelease({ logs: LOGS, releases: [twice, twice] });
    expect(refusalOf(() => parse(parseUtf8(payload)))).toEqual({ code: "MALFORMED", rule: "S-7" });
  });

  test.each(["__proto__", "constructor", ""])("an id %j in a draft is refused when it is read", (releaseId) => {
    const payload = encodeRelease({ logs: LOGS, releases: [{ releaseId, ...digests }] });
    expect(refusalOf(() => parse(parseUtf8(payload)))?.code).toBe("MALFORMED");
  });

  function details(packageId: string, version: string, base: string | null): object {
    return { packageId, version, ...digests, base, stage: null };
  }
});

interface Held {
  holder: string;
  record: string;
}

function parse(payload: string): ReturnType<typeof parseStatement> {
  return parseStatement(nobleCrypto, encodeUtf8(payload));
}

function packagesOf(...names: string[]): Map<string, ClaimedPackage> {
  return new Map(names.map((name) => [name, { previous: null, earlier: EMPTY, proof: null }]));
}

function authorityOf(authority: AuthorityDraft, name = "npm:npmjs/widget") {
  const packages = packagesOf(name);
  const claim = parse(parseUtf8(encodeClaim(nobleCrypto, { logs: LOGS, packages, authority })));
  if (claim.kind !== "claim") throw new Error("A claim was read as something else.");
  return claim.authority;
}
