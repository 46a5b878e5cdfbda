import { describe, expect, test } from "vitest";
import { encodeFork, type Fork, noteSigner, parseFork, signCheckpoint, verifyFork } from "../src/index.ts";
import { flipBit, naiveProof, naiveRoot, someLeaves } from "./naive.ts";

const origin = "log.example/main";
const signer = noteSigner(origin, new Uint8Array(32).fill(1));
const { key } = signer;
const one = someLeaves(7);
const other = [...someLeaves(11)].toReversed();
const note = (leaves: readonly Uint8Array[], size = leaves.length): string =>
  signCheckpoint({ origin, size, root: naiveRoot(leaves.slice(0, size)) }, signer);
const prefix = { root: naiveRoot(other.slice(0, 7)), proof: naiveProof(7, other) };
const fork: Fork = { key, older: note(one), newer: note(other), prefix };
const sameSize: Fork = { key, older: note(one), newer: note(other, 7) };
const badProof = expect.objectContaining({ code: "BAD_PROOF" });
const sizes = (proved: Fork): number[] => Object.values(verifyFork(proved)).map(({ size }) => size);

describe("[M-12] a file about two histories", () => {
  test("proves them without the log, in one size and in two", () => {
    for (const kept of [fork, sameSize]) {
      const text = encodeFork(kept);
      const read = parseFork(text);
      expect(encodeFork(read)).toBe(text);
      expect(sizes(read)).toEqual([7, kept === fork ? 11 : 7]);
    }
  });
  test.each<[string, Fork]>([
    ["the same tree twice", { ...sameSize, newer: sameSize.older }],
    [
      "a tree and one that extends it",
      {
        key,
        older: note(one),
        newer: note(someLeaves(9)),
        prefix: { root: naiveRoot(one), proof: naiveProof(7, someLeaves(9)) },
      },
    ],
    ["no proof of the larger tree's beginning", { key, older: fork.older, newer: fork.newer }],
    ["a beginning that was made up", { ...fork, prefix: { ...prefix, root: flipBit(prefix.root, 5) } }],
    ["a proof with a hash too few", { ...fork, prefix: { ...prefix, proof: prefix.proof.slice(1) } }],
    ["the larger one first", { ...fork, older: fork.newer, newer: fork.older }],
  ])("%s proves nothing", (_, made) => {
    expect(() => verifyFork(parseFork(encodeFork(made)))).toThrow(badProof);
  });
  test("notes by another key prove nothing", () => {
    const stranger = noteSigner(origin, new Uint8Array(32).fill(2)).key;
    expect(() => verifyFork({ ...fork, key: stranger })).toThrow(expect.objectContaining({ code: "UNSIGNED" }));
  });
  test.each<[string, (text: string) => string]>([
    ["another first line", (text) => text.replace("/v1", "/v2")],
    ["no key", (text) => text.replace(/^key .*\n/m, "")],
    ["a root that is no hash", (text) => text.replace(/^root .*$/m, "root AQI=")],
    ["a line of another kind", (text) => text.replace("root ", "boot ")],
    ["one note only", (text) => text.slice(0, text.lastIndexOf("\n===="))],
    ["three notes", (text) => text + text.slice(text.lastIndexOf("\n===="))],
    ["too many bytes", (text) => `${text}${"x".repeat(2_000_000)}`],
  ])("with %s is refused", (_, change) => {
    expect(() => parseFork(change(encodeFork(fork)))).toThrow(expect.objectContaining({ name: "LogError" }));
  });
});
