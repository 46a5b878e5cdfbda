import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeEntry,
  encodeEpoch,
  ENTRY_BYTES,
  EPOCH_BYTES,
  isAuthorityKind,
  type PackageEntry,
  parseEntry,
  parseEpoch,
  parseLeaf,
} from "../src/index.ts";

const failure = expect.objectContaining({ code: "BAD_ENTRY" });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const number = fc.maxSafeNat();
const index = fc.option(number);
const kind = fc.constantFrom<PackageEntry["kind"]>("claim", "change", "revoke", "release", "review", "hold", "funding");
const entry: PackageEntry = {
  kind: "release",
  time: 0x0102030405,
  packageHash: new Uint8Array(32).fill(0xaa),
  envelopeHash: new Uint8Array(32).fill(0xbb),
  previous: 3,
  previousAuthority: null,
};

describe("[L-2] package entries", () => {
  test("have the layout of the table", () => {
    const bytes = Buffer.from(encodeEntry(entry));
    expect(bytes).toHaveLength(ENTRY_BYTES);
    expect(bytes.toString("hex")).toBe(
      `01040000000102030405${"aa".repeat(32)}${"bb".repeat(32)}0000000000000003${"ff".repeat(8)}`,
    );
  });
  test("are read as they were written", () => {
    fc.assert(
      fc.property(
        fc.record({
          kind,
          time: number,
          packageHash: hash,
          envelopeHash: hash,
          previous: index,
          previousAuthority: index,
        }),
        (value) => {
          expect(parseEntry(encodeEntry(value))).toEqual(value);
          expect(parseLeaf(encodeEntry(value))).toEqual(value);
        },
      ),
    );
  });
  test("are refused with another length, version, kind, or a number of 2^53", () => {
    const bytes = encodeEntry(entry);
    for (const bad of [
      bytes.slice(1),
      Uint8Array.of(...bytes, 0),
      bytes.with(0, 2),
      bytes.with(1, 14),
      bytes.with(1, 0),
    ]) {
      expect(() => parseEntry(bad)).toThrow(failure);
      expect(() => parseLeaf(bad)).toThrow(failure);
    }
    expect(() => parseEntry(bytes.with(75, 0x20))).toThrow(failure);
    expect(() => parseEntry(bytes.fill(0xff, 2, 10))).toThrow(failure);
    expect(() => parseLeaf(new Uint8Array(0))).toThrow(failure);
  });
  test("are not written with a hash of another length or a broken index", () => {
    const argument = expect.objectContaining({ code: "BAD_ARGUMENT" });
    expect(() => encodeEntry({ ...entry, packageHash: new Uint8Array(31) })).toThrow(argument);
    expect(() => encodeEntry({ ...entry, previous: -1 })).toThrow(argument);
    expect(() => encodeEntry({ ...entry, time: 0.5 })).toThrow(argument);
  });
});

describe("[L-3] epoch leaves", () => {
  test("have the layout of the table", () => {
    const epoch = {
      kind: "epoch",
      time: 5,
      mapRoot: new Uint8Array(32).fill(0xcc),
      covers: 9,
      previousEpoch: null,
    } as const;
    const bytes = Buffer.from(encodeEpoch(epoch));
    expect(bytes).toHaveLength(EPOCH_BYTES);
    expect(bytes.toString("hex")).toBe(`0100${"0".repeat(15)}5${"cc".repeat(32)}${"0".repeat(15)}9${"ff".repeat(8)}`);
    expect(parseEpoch(bytes)).toEqual(epoch);
    expect(parseLeaf(bytes)).toEqual(epoch);
    for (const bad of [bytes.subarray(1), Buffer.from(bytes).fill(0xff, 42, 50), encodeEntry(entry)]) {
      expect(() => parseEpoch(bad)).toThrow(failure);
    }
  });
});

test("[L-4] whoever checks a package sees all kinds but releases and reviews", () => {
  const kinds = [
    "claim",
    "change",
    "revoke",
    "release",
    "review",
    "hold",
    "lift",
    "adopt",
    "adopt-final",
    "veto",
    "funding",
    "proof",
    "endorse",
  ] as const;
  expect(kinds.filter((name) => !isAuthorityKind(name))).toEqual(["release", "review"]);
});
