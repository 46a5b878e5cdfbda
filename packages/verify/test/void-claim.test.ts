import { encodeHex, UNCLAIMED } from "@touchmark/core";
import { LogError } from "@touchmark/log";
import { describe, expect, it } from "vitest";
import type { OpenedEvidence } from "../src/evidence/open-evidence.ts";
import type { History } from "../src/evidence/package-history.ts";
import { readEarlier } from "../src/evidence/releases.ts";

// Who recognises a committee that the log does not may see a line in force where the log still lets in claims: they are void for him. The log gives
// their lists all the same, and one of them must not make all that he has to check unchecked.

describe("[E-5] a list of a claim that is void here", () => {
  const root = encodeHex(new Uint8Array(32).fill(7));
  const list = { versions: new Map([[0, ["1.0.0", "ab".repeat(64)] as const]]), proof: new Uint8Array(0) };
  const evidence = { earlier: new Map([["npm:npmjs/widget", new Map([[root, list]])]]) } as unknown as OpenedEvidence;
  const history = (divergedAt: number | null): History => ({
    kind: "claimed",
    state: { ...UNCLAIMED, divergedAt },
    chain: [],
    releases: [],
  });

  it("is passed over where entries may be void", () => {
    const lists = readEarlier(evidence, () => history(5));
    expect(lists.get("npm:npmjs/widget")?.size ?? 0).toBe(0);
  });

  it("is a foreign list where none can be", () => {
    expect(() => readEarlier(evidence, () => history(null))).toThrow(LogError);
  });
});
