/**
 * Makes forks.json and proofs.json of test/vectors/auditing, by [M-12], [M-13] and [M-17] and without the code under test:
 * `node packages/log/test/support/proof-vectors.ts` writes them.
 */
import { writeFileSync } from "node:fs";
import { naiveLeaf, naivePath, naiveProof, naiveRoot, someLeaves } from "../naive.ts";
import { asJson, line, type Signer, SIGNERS, TIME } from "./cosigning-vectors.ts";

/** A file about two histories: it proves them by the sizes of both trees, or it is refused. */
export type ForkCase = { name: string; file: string; proves: [older: number, newer: number] | null };

/** A `.tlog-proof` under a policy: the log's key and the lines of its quorum. `rejected`: the number of the rule. */
export type TlogProofCase = { name: string; key: string; quorum: string[]; now: number; proof: string } & (
  | { index: number; size: number; quorumTime: number | null; cosigned: string[] }
  | { rejected: string }
);

export const PROOF_VECTORS: URL = new URL("../../../../test/vectors/auditing/", import.meta.url);

type Known = Record<"log" | "w1" | "w2" | "m1" | "stranger", Signer>;
const { log, w1, w2, m1, stranger } = SIGNERS as Record<string, Signer> & Known;
const BORDER = `\n${"=".repeat(40)}\n\n`;

/** The files of the folder by name. */
export function makeProofVectors(): Record<string, string> {
  return { "forks.json": asJson(forkCases()), "proofs.json": asJson(proofCases()) };
}

function forkCases(): ForkCase[] {
  const one = someLeaves(7);
  const other = someLeaves(11).toReversed();
  const longer = someLeaves(9);
  const prefix = naiveRoot(other.slice(0, 7));
  const head = (root: Uint8Array | null, proof: readonly Uint8Array[] = []): string =>
    [
      "touchmark-fork/v1",
      `key ${log.vkey}`,
      ...(root === null ? [] : [`root ${base64(root)}`]),
      ...proof.map((hash) => `proof ${base64(hash)}`),
      "",
    ].join("\n");
  const file = (first: string, ...notes: string[]): string => [first, ...notes].join(BORDER);
  const [older, newer] = [noteOf(one), noteOf(other)];
  const proof = naiveProof(7, other);
  const whole = file(head(prefix, proof), older, newer);
  const refused = (name: string, text: string): ForkCase => ({ name, file: text, proves: null });
  return [
    { name: "two sizes", file: whole, proves: [7, 11] },
    { name: "one size", file: file(head(null), older, noteOf(other.slice(0, 7))), proves: [7, 7] },
    refused("the same tree twice", file(head(null), older, older)),
    refused("a tree and one that extends it", file(head(naiveRoot(one), naiveProof(7, longer)), older, noteOf(longer))),
    refused("no proof of how the larger one began", file(head(null), older, newer)),
    refused("a beginning that was made up", file(head(naiveRoot(longer), proof), older, newer)),
    refused("a proof with a hash too few", file(head(prefix, proof.slice(1)), older, newer)),
    refused("the larger one first", file(head(prefix, proof), newer, older)),
    refused("a note that the key did not sign", file(head(prefix, proof), noteOf(one, [], stranger), newer)),
    refused(
      "a note of another origin",
      file(head(null), older, noteOf(other.slice(0, 7), [], log, "log.example/other")),
    ),
    refused("another format", whole.replace("/v1", "/v2")),
    refused("no key", whole.replace(/^key .*\n/m, "")),
    refused("a root of three bytes", whole.replace(/^root .*$/m, "root AAAA")),
    refused("one note", file(head(prefix, proof), older)),
    refused("three notes", file(head(prefix, proof), older, newer, newer)),
    refused("a border of 39 signs", whole.replaceAll("=".repeat(40), "=".repeat(39))),
  ];
}

function proofCases(): TlogProofCase[] {
  const data = Array.from({ length: 11 }, (_, i) => epochLeaf(i));
  const leaves = data.map(naiveLeaf);
  const quorum = [
    `witness W1 ${w1.vkey}`,
    `witness W2 ${w2.vkey}`,
    `witness M1 ${m1.vkey}`,
    "group g 2 W1 W2 M1",
    "quorum g",
  ];
  const text = textOf(leaves);
  const both = [cosign(w1, text, TIME), cosign(w2, text, TIME - 60)];
  const proofOf = (
    more: { extra?: Uint8Array | null; index?: number; hashes?: readonly Uint8Array[]; note?: string } = {},
  ): string => {
    const { extra = data[6]!, index = 6, hashes = naivePath(6, leaves), note = noteOf(leaves, both) } = more;
    const lines = [...(extra === null ? [] : [`extra ${base64(extra)}`]), `index ${index}`, ...hashes.map(base64)];
    return `c2sp.org/tlog-proof@v1\n${lines.join("\n")}\n\n${note}`;
  };
  const under = { key: log.vkey, quorum, now: TIME };
  const bad = (name: string, rejected: string, proof: string): TlogProofCase => ({ name, ...under, proof, rejected });
  const lacking = (name: string, ...lines: string[]): TlogProofCase =>
    bad(name, "V-21", proofOf({ note: noteOf(leaves, lines) }));
  const good = proofOf();
  const held = { index: 6, size: 11, quorumTime: TIME - 60, cosigned: ["W1", "W2"] };
  const lone = leaves.slice(0, 1);
  const lineOfLone = [cosign(w1, textOf(lone), TIME), cosign(w2, textOf(lone), TIME)];
  return [
    { name: "two of three cosigned", ...under, proof: good, ...held },
    { name: "years later", ...under, now: TIME + 300_000_000, proof: good, ...held },
    {
      name: "with the line of a stranger",
      ...under,
      proof: proofOf({ note: noteOf(leaves, [...both, cosign(stranger, text, TIME)]) }),
      ...held,
    },
    {
      name: "a tree of one leaf: no hashes",
      ...under,
      proof: proofOf({ extra: data[0]!, index: 0, hashes: [], note: noteOf(lone, lineOfLone) }),
      index: 0,
      size: 1,
      quorumTime: TIME,
      cosigned: ["W1", "W2"],
    },
    {
      name: "a policy that names nobody",
      ...under,
      quorum: ["quorum none"],
      proof: proofOf({ note: noteOf(leaves) }),
      index: 6,
      size: 11,
      quorumTime: null,
      cosigned: [],
    },
    lacking("nobody cosigned"),
    lacking("one did", cosign(w1, text, TIME)),
    lacking("one did twice", cosign(w1, text, TIME), cosign(w1, text, TIME - 1)),
    lacking("one did, and a stranger of the other's name", cosign(w2, text, TIME), cosign(stranger, text, TIME)),
    lacking("one of them in the future", cosign(w1, text, TIME), cosign(w2, text, TIME + 601)),
    lacking("one of them at no time", cosign(w1, text, TIME), cosign(w2, text, 0)),
    lacking("a false one beside a quorum", ...both, line(m1, stamped(TIME, Buffer.alloc(2420)))),
    bad("not signed by the log", "V-2", proofOf({ note: noteOf(leaves, both, stranger) })),
    bad("the checkpoint of another log", "V-2", proofOf({ note: noteOf(leaves, [], log, "log.example/other") })),
    bad("another leaf", "M-17", proofOf({ extra: data[5]! })),
    bad("another place", "M-17", proofOf({ index: 5 })),
    bad("a place outside the tree", "M-17", proofOf({ index: 11 })),
    bad("a hash too few", "M-17", proofOf({ hashes: naivePath(6, leaves).slice(1) })),
    bad("a hash too many", "M-17", proofOf({ hashes: [...naivePath(6, leaves), leaves[0]!] })),
    bad("no leaf in it", "M-17", proofOf({ extra: null })),
    bad("extra data that are no leaf", "M-17", proofOf({ extra: data[6]!.subarray(1) })),
    bad("another first line", "M-17", good.replace("@v1", "@v2")),
    bad("no index", "M-17", good.replace("index 6\n", "")),
    bad("an index with a leading zero", "M-17", good.replace("index 6", "index 06")),
    bad("a hash of three bytes", "M-17", good.replace("index 6\n", "index 6\nAAAA\n")),
    bad("no checkpoint", "M-17", good.slice(0, good.indexOf("\n\n"))),
  ];
}

/** [L-3] */
function epochLeaf(index: number): Buffer {
  const none = 2n ** 64n - 1n;
  return Buffer.concat([
    Buffer.of(1, 0),
    u64(TIME),
    Buffer.alloc(32, index),
    u64(index),
    u64(index === 0 ? none : index - 1),
  ]);
}

function textOf(leaves: readonly Uint8Array[], origin: string = log.name): string {
  return `${origin}\n${leaves.length}\n${base64(naiveRoot(leaves))}\n`;
}

function noteOf(
  leaves: readonly Uint8Array[],
  cosigned: string[] = [],
  by: Signer = log,
  origin: string = log.name,
): string {
  const text = textOf(leaves, origin);
  return `${text}\n${line(by, by.sign(Buffer.from(text)))}${cosigned.join("")}`;
}

function cosign(by: Signer, text: string, time: number): string {
  return line(by, stamped(time, by.sign(Buffer.from(`cosignature/v1\ntime ${time}\n${text}`))));
}

function stamped(time: number, signature: Uint8Array): Buffer {
  return Buffer.concat([u64(time), signature]);
}

function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(makeProofVectors())) writeFileSync(new URL(name, PROOF_VECTORS), text);
}
