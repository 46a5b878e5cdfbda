import { describe, expect, test } from "vitest";
import {
  digestFromBytes,
  encodeTlogProof,
  inclusionProof,
  noteSigner,
  parseTlogProof,
  signCheckpoint,
  verifyTlogProof,
} from "../src/index.ts";
import { flipBit, naiveRoot, someLeaves } from "./naive.ts";

const signer = noteSigner("log.example/main", new Uint8Array(32).fill(1));
const leaves = someLeaves(11);
const checkpoint = signCheckpoint({ origin: "log.example/main", size: 11, root: naiveRoot(leaves) }, signer);
const hashes = inclusionProof(6, 11, ({ start, end }) => digestFromBytes(naiveRoot(leaves.slice(start, end))));
const proof = { extra: undefined, index: 6, hashes, checkpoint };
const badProof = expect.objectContaining({ code: "BAD_PROOF" });

describe("tlog-proof", () => {
  test("is read as it was written, and verifies", () => {
    const text = encodeTlogProof(proof);
    expect(text.startsWith("c2sp.org/tlog-proof@v1\nindex 6\n")).toBe(true);
    expect(encodeTlogProof(parseTlogProof(text))).toBe(text);
    expect(verifyTlogProof(parseTlogProof(text), leaves[6]!, signer.key).size).toBe(11);
  });
  test("keeps its extra data", () => {
    const text = encodeTlogProof({ ...proof, extra: Uint8Array.of(1, 2) });
    expect(text).toContain("\nextra AQI=\nindex 6\n");
    expect(parseTlogProof(text).extra).toEqual(Uint8Array.of(1, 2));
  });
  test("of a tree of one leaf has no hashes", () => {
    const one = signCheckpoint({ origin: "log.example/main", size: 1, root: leaves[0]! }, signer);
    const text = encodeTlogProof({ extra: undefined, index: 0, hashes: [], checkpoint: one });
    expect(verifyTlogProof(parseTlogProof(text), leaves[0]!, signer.key).size).toBe(1);
  });
  test("does not verify for another leaf, index, or key", () => {
    const other = noteSigner("log.example/main", new Uint8Array(32).fill(2));
    expect(() => verifyTlogProof(proof, leaves[5]!, signer.key)).toThrow(badProof);
    expect(() => verifyTlogProof({ ...proof, index: 7 }, leaves[6]!, signer.key)).toThrow(badProof);
    expect(() =>
      verifyTlogProof({ ...proof, hashes: [flipBit(hashes[0]!, 3), ...hashes.slice(1)] }, leaves[6]!, signer.key),
    ).toThrow(badProof);
    expect(() => verifyTlogProof(proof, leaves[6]!, other.key)).toThrow(expect.objectContaining({ code: "UNSIGNED" }));
  });
  test.each([
    ["another first line", (text: string) => text.replace("@v1", "@v2")],
    ["no index", (text: string) => text.replace("index 6\n", "")],
    ["an index with a leading zero", (text: string) => text.replace("index 6", "index 06")],
    ["extra data after the index", (text: string) => text.replace("index 6\n", "index 6\nextra AQI=\n")],
    ["a hash without padding", (text: string) => text.replace("=\n", "\n")],
    ["a short hash", (text: string) => text.replace("index 6\n", "index 6\nAQI=\n")],
    ["64 hashes", (text: string) => text.replace("index 6\n", `index 6\n${`${"A".repeat(43)}=\n`.repeat(64)}`)],
    ["no checkpoint", (text: string) => text.replaceAll("\n\n", "\n")],
    ["too many bytes", (text: string) => `${text}${"x".repeat(1_000_000)}`],
  ])("with %s is refused", (_, change) => {
    expect(() => parseTlogProof(change(encodeTlogProof(proof)))).toThrow(badProof);
  });
});
