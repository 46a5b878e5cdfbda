import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decideQuorum,
  encodeVerifierKey,
  overlapSentence,
  parseTlogPolicy,
  parseVerifierKey,
  type PolicyMember,
  quorumOverlap,
  type TlogPolicy,
} from "../src/index.ts";
import { noteKeyId } from "../src/note.ts";
import { VECTORS } from "./support/cosigning-vectors.ts";
import type { PolicyCase } from "./support/policy-cases.ts";

const cases = JSON.parse(readFileSync(join(VECTORS, "policies.json"), "utf8")) as PolicyCase[];
const keys = JSON.parse(readFileSync(join(VECTORS, "keys.json"), "utf8")) as Record<string, { vkey: string }>;
const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8");
const failure = (message: RegExp): unknown =>
  expect.objectContaining({ code: "BAD_POLICY", message: expect.stringMatching(message) as unknown });

describe("[Q-7] to [Q-16] policies of witnesses", () => {
  test.each(cases.filter(({ refused }) => refused !== undefined))("$name is refused", ({ policy, refused = 0 }) => {
    const where = refused === 0 ? /^The (last line of the )?policy of witnesses/ : new RegExp(`^Line ${refused} of`);
    expect(() => parseTlogPolicy(bytes(policy))).toThrow(failure(where));
  });

  test.each(cases.filter(({ refused }) => refused === undefined))("$name is read", (one) => {
    const policy = parseTlogPolicy(bytes(one.policy));
    if (one.logs !== undefined) expect(policy.logs).toHaveLength(one.logs);
    expect(policy.witnesses.map(({ name }) => name)).toEqual(one.witnesses);
    expect(quorumOverlap(policy)).toBe(one.overlap);
    for (const { times, now, held, time } of one.quorums ?? []) {
      expect(decideQuorum(policy, cosignatures(policy, times), now)).toMatchObject({ held, time });
    }
  });

  test("says who cosigned, who is missing, and whose cosignature does not count", () => {
    const policy = parseTlogPolicy(bytes(cases.find(({ name }) => name === "two of three")!.policy));
    expect(decideQuorum(policy, cosignatures(policy, { W1: [10], W2: [5000] }), 100)).toEqual({
      held: false,
      time: null,
      cosigned: ["W1"],
      missing: ["W2", "W3"],
      ignored: ["W2"],
    });
  });

  test("[Q-14] one witness under two cosigning keys of another does not count", () => {
    const policy = parseTlogPolicy(bytes(cases.find(({ name }) => name === "two of three")!.policy));
    const stranger = parseVerifierKey(keys["stranger"]!.vkey); // of W1's name
    const known = cosignatures(policy, { W1: [50] });
    expect(decideQuorum(policy, [...known, { key: stranger, time: 60 }], 100).held).toBe(false);
  });

  test("[Q-14] a key that shares name and id with another one's is not that key", () => {
    const policy = parseTlogPolicy(bytes(cases.find(({ name }) => name === "two of three")!.policy));
    const { key } = cosignatures(policy, { W1: [50] })[0]!;
    const twin = { ...key, publicKey: key.publicKey.map((byte) => byte ^ 1) }; // found by trying out four billion
    const verdict = decideQuorum(policy, [...cosignatures(policy, { W2: [50] }), { key: twin, time: 50 }], 100);
    expect([verdict.held, verdict.cosigned]).toEqual([false, ["W2"]]);
  });

  test("names that only look alike are two", () => {
    const lines = [`witness \xff ${keys["w1"]!.vkey}`, `witness \xfe ${keys["w2"]!.vkey}`];
    const policy = parseTlogPolicy(Buffer.from(`${lines.join("\n")}\ngroup g all \xff \xfe\nquorum g\n`, "latin1"));
    const one = [{ key: policy.witnesses[0]!.key, time: 50 }];
    expect(decideQuorum(policy, one, 100).held).toBe(false);
  });

  test("[Q-12] limits: 60 witnesses, 64 groups, 64 logs, 512 KiB", () => {
    const vkey = (i: number): string => {
      const { key } = parseTlogPolicy(bytes(`witness W ${keys["w1"]!.vkey}\nquorum W\n`)).witnesses[0]!;
      return encodeKey({ ...key, publicKey: Uint8Array.from(key.publicKey, (byte, at) => (at === 0 ? i : byte)) });
    };
    const witnesses = (count: number): string =>
      Array.from({ length: count }, (_, i) => `witness W${i} ${vkey(i)}\n`).join("");
    const groups = (count: number): string =>
      Array.from({ length: count }, (_, i) => `group g${i} any ${i === 0 ? "W0" : `g${i - 1}`}\n`).join("");
    const logs = (count: number): string => Array.from({ length: count }, (_, i) => `log ${vkey(i)}\n`).join("");
    const most = `${logs(64)}${witnesses(60)}${groups(64)}quorum g63\n`;
    expect(parseTlogPolicy(bytes(most))).toMatchObject({ logs: { length: 64 }, witnesses: { length: 60 } });
    for (const text of [logs(65), witnesses(61), `${witnesses(1)}${groups(65)}`])
      expect(() => parseTlogPolicy(bytes(`${text}quorum none\n`))).toThrow(failure(/more than 6/));
    expect(() => parseTlogPolicy(bytes(`#${"x".repeat(512 * 1024)}\nquorum none\n`))).toThrow(failure(/too long/));
  });

  test("[Q-16] k of n overlaps in 2k - n, and never in more than any two quorums do", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(5), (n, more) => {
        const threshold = 1 + (more % n);
        const quorum = group(threshold, n);
        const policy = { logs: [], witnesses: [], groups: [], quorum };
        expect(quorumOverlap(policy)).toBe(Math.max(0, 2 * threshold - n));
      }),
    );
    expect(overlapSentence(0)).toMatch(/every witness is honest/);
    expect(overlapSentence(1)).toMatch(/tolerates no dishonest/);
    expect(overlapSentence(3)).toMatch(/tolerates 2 dishonest witnesses/);
  });
});

function cosignatures(policy: TlogPolicy, times: Record<string, number[]>): { key: PolicyKey; time: number }[] {
  return Object.entries(times).flatMap(([name, list]) => {
    const { key } = policy.witnesses.find((witness) => witness.name === name)!;
    return list.map((time) => ({ key, time }));
  });
}

type PolicyKey = TlogPolicy["witnesses"][number]["key"];

function encodeKey(key: PolicyKey): string {
  const keyId = noteKeyId(key.name, key.type, key.publicKey);
  return encodeVerifierKey({ ...key, keyId });
}

function group(threshold: number, count: number): PolicyMember {
  const { key } = parseTlogPolicy(bytes(`witness W ${keys["w1"]!.vkey}\nquorum W\n`)).witnesses[0]!;
  const members = Array.from({ length: count }, (_, i) => ({
    kind: "witness" as const,
    name: `${i}`,
    key,
    url: undefined,
  }));
  return { kind: "group", name: "g", threshold, members };
}
