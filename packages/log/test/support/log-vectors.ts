/**
 * Makes the files of test/vectors/log but log.json, by the text of chapter 04 and of RFC 6962 and without the code under test:
 * `node packages/log/test/support/log-vectors.ts` writes them. The tree is the definition of RFC 6962, as slow as it stands there.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { naivePath, naiveProof, naiveRoot } from "../naive.ts";

export const LOG_VECTORS: string = join(import.meta.dirname, "../../../../test/vectors/log");
const NONE = 2n ** 64n - 1n;
const MAP_HEIGHT = 20;
const MAP_SIZE = 2 ** MAP_HEIGHT;

/** `refused`: the number of the rule that the leaf breaks. */
export type LeafCase = { name: string; bytes: string } & ({ leaf: Record<string, unknown> } | { refused: string });

/** The tree of `size` leaves; leaf *i* is the text "leaf i". */
export type TreeCase = {
  size: number;
  root: string;
  inclusion: { index: number; proof: string[] }[];
  consistency: { from: number; root: string; proof: string[] }[];
};

/** `refused`: what is wrong, in words; absent for a good one. */
export type ProofCase = {
  name: string;
  size: number;
  leaves: Record<string, string>;
  proof: string;
  root: string;
  refused?: string;
};

export type BucketCase = { name: string; bucket: number; bytes: string } & (
  | { records: { packageHash: string; last: number; lastAuthority: number | null }[] }
  | { refused: string }
);

export type MapCase = {
  name: string;
  packages: Record<string, { last: number; lastAuthority: number | null }>;
  root: string;
  /** Proofs of buckets that were asked for; `present`: which of the ids asked for have a record. */
  proofs: { asked: string[]; present: string[]; buckets: Record<string, string>; proof: string }[];
};

/** The files of the folder by name. */
export function makeLogVectors(): Record<string, string> {
  return {
    "leaves.json": asJson(leafCases()),
    "trees.json": asJson([1, 2, 3, 7, 8, 11, 64].map(treeCase)),
    "multi-proofs.json": asJson(multiProofCases()),
    "buckets.json": asJson(bucketCases()),
    "maps.json": asJson(mapCases()),
  };
}

function leafCases(): LeafCase[] {
  const kinds = "claim change revoke release review hold lift adopt adopt-final veto funding proof endorse".split(" ");
  const package1 = sha256("npm:npmjs/widget");
  const envelope = sha256("an envelope");
  const entry = (
    kind: number,
    more: { version?: number; time?: bigint; previous?: bigint; authority?: bigint } = {},
  ): Buffer =>
    Buffer.concat([
      Buffer.of(more.version ?? 1, kind),
      u64(more.time ?? 1_800_000_000n),
      package1,
      envelope,
      u64(more.previous ?? 41n),
      u64(more.authority ?? 7n),
    ]);
  const epoch = (more: { version?: number; time?: bigint; covers?: bigint; before?: bigint } = {}): Buffer =>
    Buffer.concat([
      Buffer.of(more.version ?? 1, 0),
      u64(more.time ?? 1_800_000_000n),
      sha256("a map"),
      u64(more.covers ?? 42n),
      u64(more.before ?? 40n),
    ]);
  const fields = (kind: string, more: object = {}): Record<string, unknown> => ({
    kind,
    time: 1_800_000_000,
    packageHash: package1.toString("hex"),
    envelopeHash: envelope.toString("hex"),
    previous: 41,
    previousAuthority: 7,
    ...more,
  });
  const epochFields = (more: object = {}): Record<string, unknown> => ({
    kind: "epoch",
    time: 1_800_000_000,
    mapRoot: sha256("a map").toString("hex"),
    covers: 42,
    previousEpoch: 40,
    ...more,
  });
  const good = (name: string, bytes: Buffer, leaf: Record<string, unknown>): LeafCase => ({
    name,
    bytes: bytes.toString("hex"),
    leaf,
  });
  const bad = (name: string, bytes: Buffer, refused: string): LeafCase => ({
    name,
    bytes: bytes.toString("hex"),
    refused,
  });
  return [
    ...kinds.map((kind, i) => good(`a ${kind}`, entry(i + 1), fields(kind))),
    good(
      "a package's first entry",
      entry(1, { previous: NONE, authority: NONE }),
      fields("claim", { previous: null, previousAuthority: null }),
    ),
    good("the largest index", entry(4, { previous: 2n ** 53n - 1n }), fields("release", { previous: 2 ** 53 - 1 })),
    good("an epoch leaf", epoch(), epochFields()),
    good("the first epoch leaf", epoch({ covers: 0n, before: NONE }), epochFields({ covers: 0, previousEpoch: null })),
    bad("no bytes", Buffer.alloc(0), "L-1"),
    bad("an entry a byte short", entry(1).subarray(0, 89), "L-1"),
    bad("an entry a byte long", Buffer.concat([entry(1), Buffer.of(0)]), "L-1"),
    bad("an epoch leaf a byte short", epoch().subarray(0, 57), "L-1"),
    bad("an epoch leaf a byte long", Buffer.concat([epoch(), Buffer.of(0)]), "L-1"),
    bad("an entry of version 2", entry(1, { version: 2 }), "L-1"),
    bad("an epoch leaf of version 0", epoch({ version: 0 }), "L-1"),
    bad("kind 14", entry(14), "L-4"),
    bad("kind 255", entry(255), "L-4"),
    bad("an epoch leaf of an entry's length", Buffer.concat([epoch(), Buffer.alloc(32)]), "L-1"),
    bad("an entry of an epoch leaf's length", entry(1).subarray(0, 58), "L-1"),
    bad("a time of 2^53", entry(1, { time: 2n ** 53n }), "C-3"),
    bad("no time", entry(1, { time: NONE }), "C-3"),
    bad("an index of 2^53", entry(1, { previous: 2n ** 53n }), "C-3"),
    bad("an index of 2^64 - 2", entry(1, { authority: NONE - 1n }), "C-3"),
    bad("an epoch leaf that covers none", epoch({ covers: NONE }), "C-3"),
  ];
}

function treeCase(size: number): TreeCase {
  const leaves = someLeaves(size);
  const places = [...new Set([0, 1, Math.floor(size / 2), size - 1])].filter((index) => index < size);
  const sizes = [...new Set([1, 2, Math.ceil(size / 2), size - 1, size])].filter((from) => from > 0 && from <= size);
  return {
    size,
    root: hex(naiveRoot(leaves)),
    inclusion: places.map((index) => ({ index, proof: naivePath(index, leaves).map(hex) })),
    consistency: sizes.map((from) => ({
      from,
      root: hex(naiveRoot(leaves.slice(0, from))),
      proof: naiveProof(from, leaves).map(hex),
    })),
  };
}

function multiProofCases(): ProofCase[] {
  const proved = (name: string, size: number, indices: number[]): ProofCase => {
    const leaves = someLeaves(size);
    const shown = Object.fromEntries(indices.map((index) => [index, hex(leaves[index]!)]));
    return { name, size, leaves: shown, proof: hex(walk(leaves, 0, indices)), root: hex(naiveRoot(leaves)) };
  };
  const [some, all] = [proved("three of eleven", 11, [0, 6, 10]), proved("all of five: no hashes", 5, [0, 1, 2, 3, 4])];
  const bad = (name: string, refused: string, change: Partial<ProofCase>): ProofCase => ({
    ...some,
    ...change,
    name,
    refused,
  });
  const [first, second] = [some.proof.slice(0, 64), some.proof.slice(64, 128)];
  const rest = some.proof.slice(128);
  return [
    proved("one of one: no hashes", 1, [0]),
    proved("the first of two", 2, [0]),
    proved("one of seven", 7, [4]),
    some,
    all,
    proved("neighbours across the middle of sixteen", 16, [7, 8]),
    proved("the lonely last of nine", 9, [8]),
    proved("a row in a hundred", 100, [3, 4, 5, 63, 64, 99]),
    bad("a hash too few", "too short", { proof: some.proof.slice(64) }),
    bad("a hash too many", "too long: every hash has to be used", { proof: some.proof + first }),
    bad("half a hash", "not a row of hashes", { proof: some.proof.slice(32) }),
    bad("two hashes in each other's place", "another root", { proof: second + first + rest }),
    bad("another size", "another root, or hashes left over", { size: 12 }),
    bad("a leaf at another place", "another root", { leaves: movedLeaf(some.leaves) }),
    bad("a leaf outside the tree", "the index is not below the size", { size: 10 }),
    bad("no leaves", "proves nothing", { leaves: {}, proof: some.root }),
    bad("another leaf", "another root", { leaves: { ...some.leaves, 6: hex(sha256("no leaf")) } }),
  ];
}

function bucketCases(): BucketCase[] {
  const number = 0xabcde;
  const hashes = [1, 2, 3].map((end) => Buffer.from(`abcde${"0".repeat(58)}${end}`, "hex"));
  const record = (hash: Buffer, last: bigint, authority: bigint): Buffer =>
    Buffer.concat([hash, u64(last), u64(authority)]);
  const [a, b, c] = hashes.map((hash, i) => record(hash, BigInt(i + 10), BigInt(i))) as [Buffer, Buffer, Buffer];
  const shown = hashes.map((hash, i) => ({ packageHash: hash.toString("hex"), last: i + 10, lastAuthority: i }));
  const good = (
    name: string,
    bytes: Buffer,
    records: typeof shown | { packageHash: string; last: number; lastAuthority: null }[],
  ): BucketCase => ({
    name,
    bucket: number,
    bytes: bytes.toString("hex"),
    records,
  });
  const bad = (name: string, bytes: Buffer, refused: string): BucketCase => ({
    name,
    bucket: number,
    bytes: bytes.toString("hex"),
    refused,
  });
  return [
    good("empty", Buffer.alloc(0), []),
    good("one record", a, shown.slice(0, 1)),
    good("three records", Buffer.concat([a, b, c]), shown),
    good("a package without an authority entry", record(hashes[0]!, 10n, NONE), [
      { packageHash: hashes[0]!.toString("hex"), last: 10, lastAuthority: null },
    ]),
    bad("not sorted", Buffer.concat([b, a]), "L-10"),
    bad("one twice", Buffer.concat([a, a]), "L-10"),
    bad("one twice with other entries", Buffer.concat([a, record(hashes[0]!, 99n, 1n)]), "L-10"),
    bad("a record of another bucket", record(sha256("npm:npmjs/widget"), 1n, 1n), "L-10"),
    bad("a byte short", Buffer.concat([a, b]).subarray(0, 95), "L-11"),
    bad("a record without a last entry", record(hashes[0]!, NONE, NONE), "L-11"),
    bad("an index of 2^53", record(hashes[0]!, 2n ** 53n, NONE), "C-3"),
    bad("an authority entry behind the last entry", record(hashes[0]!, 3n, 4n), "L-11"),
  ];
}

function mapCases(): MapCase[] {
  const widget = "npm:npmjs/widget";
  const many = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`npm:npmjs/p${i}`, { last: 100 + i, lastAuthority: i % 3 === 0 ? null : i }]),
  );
  return [
    mapCase("empty", {}, [[widget], [widget, "npm:npmjs/gadget"]]),
    mapCase("one package", { [widget]: { last: 1, lastAuthority: 1 } }, [
      [widget],
      ["npm:npmjs/gadget"],
      [widget, "npm:npmjs/gadget"],
    ]),
    mapCase(
      "a committee, a log and packages",
      {
        ...many,
        "committee:watch": { last: 3, lastAuthority: 3 },
        "log:log.example/main": { last: 5, lastAuthority: 5 },
      },
      [
        ["npm:npmjs/p0"],
        ["npm:npmjs/p1", "npm:npmjs/p2", "npm:npmjs/not-there", "committee:watch"],
        ["log:log.example/main"],
      ],
    ),
  ];
}

function mapCase(name: string, packages: MapCase["packages"], asked: string[][]): MapCase {
  const buckets = new Map<number, Buffer>();
  const ids = Object.keys(packages).toSorted((a, b) => Buffer.compare(sha256(a), sha256(b)));
  for (const id of ids) {
    const { last, lastAuthority } = packages[id]!;
    const record = Buffer.concat([
      sha256(id),
      u64(BigInt(last)),
      u64(lastAuthority === null ? NONE : BigInt(lastAuthority)),
    ]);
    const number = bucketOf(id);
    buckets.set(number, Buffer.concat([buckets.get(number) ?? Buffer.alloc(0), record]));
  }
  const rootOf = sparseTree(buckets);
  const proofs = asked.map((wanted) => {
    const numbers = [...new Set(wanted.map(bucketOf))].toSorted((a, b) => a - b);
    return {
      asked: wanted,
      present: wanted.filter((id) => packages[id] !== undefined),
      buckets: Object.fromEntries(
        numbers.map((number) => [number, (buckets.get(number) ?? Buffer.alloc(0)).toString("hex")]),
      ),
      proof: hex(walkMap(rootOf, 0, MAP_SIZE, numbers)),
    };
  });
  return { name, packages, root: hex(rootOf(0, MAP_SIZE)), proofs };
}

/** [L-13], the walk as the rule tells it. */
function walk(leaves: readonly Uint8Array[], start: number, wanted: number[]): Buffer {
  const inside = wanted.filter((index) => index >= start && index < start + leaves.length);
  if (inside.length === 0) return Buffer.from(naiveRoot(leaves));
  if (leaves.length === 1) return Buffer.alloc(0);
  const k = split(leaves.length);
  return Buffer.concat([walk(leaves.slice(0, k), start, inside), walk(leaves.slice(k), start + k, inside)]);
}

type RootOf = (start: number, end: number) => Buffer;

function walkMap(rootOf: RootOf, start: number, end: number, wanted: number[]): Buffer {
  const inside = wanted.filter((number) => number >= start && number < end);
  if (inside.length === 0) return rootOf(start, end);
  if (end - start === 1) return Buffer.alloc(0);
  const middle = (start + end) / 2;
  return Buffer.concat([walkMap(rootOf, start, middle, inside), walkMap(rootOf, middle, end, inside)]);
}

/** The hash of any range of the map that is a subtree [L-9]. */
function sparseTree(buckets: ReadonlyMap<number, Buffer>): RootOf {
  const empty = [hashLeaf(Buffer.alloc(0))];
  for (let height = 0; height < MAP_HEIGHT; height++) empty.push(node(empty[height]!, empty[height]!));
  const numbers = [...buckets.keys()];
  const rootOf: RootOf = (start, end) => {
    if (!numbers.some((number) => number >= start && number < end)) return empty[Math.log2(end - start)]!;
    if (end - start === 1) return hashLeaf(buckets.get(start)!);
    const middle = (start + end) / 2;
    return node(rootOf(start, middle), rootOf(middle, end));
  };
  return rootOf;
}

/** [L-10] */
function bucketOf(id: string): number {
  return Number.parseInt(sha256(id).toString("hex").slice(0, 5), 16);
}

function movedLeaf(leaves: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(leaves).map(([index, hash]) => [index === "6" ? "7" : index, hash]));
}

function someLeaves(size: number): Uint8Array[] {
  return Array.from({ length: size }, (_, i) => hashLeaf(Buffer.from(`leaf ${i}`)));
}

function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

function hashLeaf(data: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.of(0), data]));
}

function node(left: Buffer, right: Buffer): Buffer {
  return sha256(Buffer.concat([Buffer.of(1), left, right]));
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(makeLogVectors())) writeFileSync(join(LOG_VECTORS, name), text);
}
