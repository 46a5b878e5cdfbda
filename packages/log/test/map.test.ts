import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bucketOf,
  createPackageMap,
  encodeBucket,
  findRecord,
  leafHash,
  loadPackageMap,
  MAP_SIZE,
  type MapRecord,
  mapRootFromBuckets,
  multiProof,
  nodeHash,
  type PackageMap,
  parseBucket,
} from "../src/index.ts";
import { flipBit } from "./naive.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const badRecord = expect.objectContaining({ code: "BAD_RECORD" });

/** Package id hashes that often share a bucket. */
const packageHash = fc
  .tuple(fc.constantFrom(0, 1, 0x80000, 0xfffff), fc.nat(255))
  .map(([bucket, rest]) => hashIn(bucket, rest));
const record: fc.Arbitrary<MapRecord> = fc
  .tuple(packageHash, fc.nat(1e6), fc.option(fc.nat(1e6)))
  .map(([hash, a, b]) => ({ packageHash: hash, last: a + (b ?? 0), lastAuthority: b }));

function hashIn(bucket: number, rest: number): Uint8Array {
  const bytes = new Uint8Array(32).fill(rest);
  bytes[0] = bucket >> 12;
  bytes[1] = (bucket >> 4) & 0xff;
  bytes[2] = ((bucket & 0xf) << 4) | (rest & 0xf);
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** The root by the definition: level by level, with the hash of an empty subtree where nothing is. */
function naiveMapRoot(buckets: Map<number, Uint8Array>): Uint8Array {
  let level = new Map([...buckets].map(([number, bytes]) => [number, leafHash(bytes)]));
  let empty = leafHash(new Uint8Array(0));
  for (let height = 0; height < 20; height++) {
    const above = new Map<number, Uint8Array>();
    for (const number of level.keys()) {
      const left = number & ~1;
      above.set(left / 2, nodeHash(level.get(left) ?? empty, level.get(left + 1) ?? empty));
    }
    level = above;
    empty = nodeHash(empty, empty);
  }
  return level.get(0) ?? empty;
}

describe("[L-9] [L-10] [L-11] the map", () => {
  test("buckets are the first 20 bits, big-endian", () => {
    expect(bucketOf(Buffer.from(`abcdef${"00".repeat(29)}`, "hex"))).toBe(0xabcde);
    expect(bucketOf(Buffer.alloc(32, 0xff))).toBe(MAP_SIZE - 1);
    expect(() => bucketOf(new Uint8Array(31))).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  });

  test("the empty map's root is that of 2^20 leaves of no bytes", () => {
    expect(hex(createPackageMap().root())).toBe(hex(naiveMapRoot(new Map())));
  });

  test("the root is that of the definition after any changes, and each record is found again", () => {
    fc.assert(
      fc.property(fc.array(fc.array(record, { maxLength: 6 }), { maxLength: 5 }), (rounds) => {
        const map = createPackageMap();
        const expected = new Map<string, MapRecord>();
        for (const round of rounds) {
          const draft = map.draft();
          for (const item of round) {
            draft.set(item);
            expected.set(hex(item.packageHash), item);
          }
          const promised = hex(draft.root());
          draft.commit();
          expect(hex(map.root())).toBe(promised);
        }
        const buckets = new Map<number, Uint8Array>();
        for (const item of expected.values()) {
          expect(map.get(item.packageHash)).toEqual(item);
          const number = bucketOf(item.packageHash);
          const own = [...expected.values()].filter((other) => bucketOf(other.packageHash) === number);
          buckets.set(number, encodeBucket(own));
          expect(parseBucket(map.bucket(number), number)).toHaveLength(own.length);
        }
        expect(hex(map.root())).toBe(hex(naiveMapRoot(buckets)));
      }),
      { numRuns: 60 },
    );
  });

  test("drafts on top of each other come to what they come to one after another, whenever the lower ones are made", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(record, { maxLength: 8 }), fc.boolean()), { maxLength: 12 }), (steps) => {
        const [map, plain] = [createPackageMap(), createPackageMap()];
        const open: ReturnType<PackageMap["draft"]>[] = [];
        for (const [records, makesOne] of steps) {
          const draft = open.at(-1)?.draft() ?? map.draft();
          const expected = plain.draft();
          if (makesOne) open.shift()?.commit();
          for (const item of records) {
            draft.set(item);
            expected.set(item);
          }
          expect(hex(draft.root())).toBe(hex(expected.root()));
          expected.commit();
          for (const { packageHash: hash } of records) expect(draft.get(hash)).toEqual(plain.get(hash));
          open.push(draft);
        }
        for (const draft of open) draft.commit();
        expect(hex(map.root())).toBe(hex(plain.root()));
        expect(map.size()).toBe(plain.size());
      }),
    );
  });

  test("a draft that isn't made changes nothing, and a stale one can't be made", () => {
    const map = createPackageMap();
    const before = hex(map.root());
    const draft = map.draft();
    draft.set({ packageHash: hashIn(3, 1), last: 1, lastAuthority: null });
    expect(hex(draft.root())).not.toBe(before);
    expect(hex(map.root())).toBe(before);
    expect(map.get(hashIn(3, 1))).toBeUndefined();
    const rival = map.draft();
    rival.set({ packageHash: hashIn(4, 1), last: 2, lastAuthority: null });
    rival.commit();
    expect(() => draft.commit()).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  });

  test("[L-12] membership and absence are proved alike, and no bit can be turned", () => {
    const map = createPackageMap();
    const draft = map.draft();
    const present = { packageHash: hashIn(77, 1), last: 9, lastAuthority: 4 };
    for (const item of [present, { packageHash: hashIn(77, 2), last: 3, lastAuthority: 3 }]) draft.set(item);
    draft.set({ packageHash: hashIn(500, 2), last: 8, lastAuthority: 8 });
    draft.commit();
    const numbers = [77, 78, 1000];
    const buckets = new Map(numbers.map((number) => [number, map.bucket(number)]));
    const proof = multiProof(MAP_SIZE, numbers, map.digestOf);
    const root = hex(map.root());
    expect(hex(mapRootFromBuckets(buckets, proof))).toBe(root);
    expect(findRecord(map.bucket(77), present.packageHash)).toEqual(present);
    expect(findRecord(map.bucket(77), hashIn(77, 3))).toBeUndefined();
    expect(map.bucket(78)).toHaveLength(0);

    const [, others] = [buckets.delete(77), buckets];
    const stripped = new Map([[77, encodeBucket([present])], ...others]);
    expect(hex(mapRootFromBuckets(stripped, proof))).not.toBe(root);
    const emptied = new Map([[77, new Uint8Array(0)], ...others]);
    expect(hex(mapRootFromBuckets(emptied, proof))).not.toBe(root);
    for (let bit = 0; bit < 48 * 2 * 8; bit += 5) {
      const turned = new Map([[77, flipBit(map.bucket(77), bit)], ...others]);
      expect(hex(mapRootFromBuckets(turned, proof))).not.toBe(root);
    }
  });

  test("a bucket with records cut, unsorted, twice, foreign or impossible is refused", () => {
    const [a, b] = [hashIn(5, 1), hashIn(5, 2)].map((hash) =>
      encodeBucket([{ packageHash: hash, last: 7, lastAuthority: 7 }]),
    );
    const none = encodeBucket([{ packageHash: hashIn(5, 1), last: 7, lastAuthority: null }]);
    expect(parseBucket(joined(a!, b!), 5)).toHaveLength(2);
    expect(parseBucket(none, 5)[0]?.lastAuthority).toBeNull();
    for (const bytes of [joined(b!, a!), joined(a!, a!), a!.subarray(1), a!.subarray(0, 32)]) {
      expect(() => parseBucket(bytes, 5)).toThrow(badRecord);
    }
    expect(() => parseBucket(a!, 6)).toThrow(badRecord);
    expect(() => parseBucket(joined(a!.subarray(0, 32), Buffer.alloc(16, 0xff)), 5)).toThrow(badRecord);
    const later = encodeBucket([{ packageHash: hashIn(5, 1), last: 7, lastAuthority: 8 }]);
    expect(() => parseBucket(later, 5)).toThrow(badRecord);
  });
});

describe("a map that was written out", () => {
  const hashOf = (i: number): Uint8Array => createHash("sha256").update(`dump ${i}`).digest();
  const mapOf = (count: number): PackageMap => {
    const map = createPackageMap();
    const draft = map.draft();
    for (let i = 0; i < count; i++) draft.set({ packageHash: hashOf(i), last: i, lastAuthority: null });
    draft.commit();
    return map;
  };

  test.each([0, 1, 3000])("is the same when it is read, with %i packages, and goes on the same way", (count) => {
    const map = mapOf(count);
    const again = loadPackageMap(Buffer.concat([...map.dump()]));
    expect(again.root()).toEqual(map.root());
    expect(again.size()).toBe(count);
    for (const one of [map, again]) {
      const draft = one.draft();
      for (let i = 0; i < 50; i++) draft.set({ packageHash: hashOf(i * 99), last: 10_000 + i, lastAuthority: i });
      draft.commit();
    }
    expect(again.root()).toEqual(map.root());
    expect(again.get(hashOf(99))).toEqual(map.get(hashOf(99)));
  });

  test("is as it was when that began, whatever changes meanwhile", () => {
    const map = mapOf(200);
    const before = map.root();
    const dump = map.dump();
    dump.next();
    const draft = map.draft();
    for (let i = 0; i < 400; i++) draft.set({ packageHash: hashOf(i), last: 7, lastAuthority: 7 });
    draft.commit();
    const whole = Buffer.concat([...mapOf(200).dump()]);
    expect(loadPackageMap(whole).root()).toEqual(before);
    expect(Buffer.concat([whole.subarray(0, 4), ...dump])).toEqual(whole);
  });

  test("is refused if it is cut short or names parts that there are not", () => {
    const dump = Buffer.concat([...mapOf(3).dump()]);
    for (const cut of [0, 3, 10, dump.length - 1]) {
      expect(() => loadPackageMap(dump.subarray(0, cut))).toThrow(expect.objectContaining({ code: "BAD_RECORD" }));
    }
    dump.writeUInt32BE(0xffff_ffff, 4);
    expect(() => loadPackageMap(dump)).toThrow(expect.objectContaining({ code: "BAD_RECORD" }));
  });
});
