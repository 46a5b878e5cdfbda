/**
 * Makes test/vectors/cosigning/witness.json, by [Q-17] and [Q-18] and without the code under test: `node packages/log/test/support/witness-vectors.ts` writes
 * it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { naiveProof, naiveRoot, someLeaves } from "../naive.ts";
import { asJson, line, type Signer, SIGNERS, VECTORS } from "./cosigning-vectors.ts";

/** What a witness that knows the log `log` of keys.json, and has seen nothing, is sent, and what it answers: the status, and on 409 the size. */
export type WitnessCase = { name: string; requests: { body: string; status: number; size?: number }[] };

const { log, w1, stranger } = SIGNERS as Record<string, Signer> & { log: Signer; w1: Signer; stranger: Signer };
const ONE = someLeaves(20);
const OTHER = ONE.map((leaf, i) => (i < 6 ? leaf : ONE[19 - i]!));
const ZEROS = Buffer.alloc(32).toString("base64");

export function makeWitnessVectors(): string {
  const cases: WitnessCase[] = [
    single("the first checkpoint", add(0, 5), 200),
    single("that of an empty tree", add(0, 0), 200),
    {
      name: "larger ones, and the same again",
      requests: [ok(add(0, 5)), ok(add(5, 9)), ok(add(9, 9)), ok(add(9, 16)), ok(add(16, 20))],
    },
    {
      name: "another size than the last one that was cosigned",
      requests: [
        { body: add(3, 5), status: 409, size: 0 },
        ok(add(0, 7)),
        { body: add(0, 7), status: 409, size: 7 },
        { body: add(5, 9), status: 409, size: 7 },
        { body: add(3, 3), status: 409, size: 7 },
      ],
    },
    {
      name: "another history",
      requests: [ok(add(0, 8)), refused(add(8, 12, OTHER)), refused(add(8, 8, OTHER)), ok(add(8, 12))],
    },
    {
      name: "a proof that is not empty where the sizes are the same",
      requests: [ok(add(0, 8)), refused(edit(add(8, 8), "\n", `\n${ZEROS}\n`))],
    },
    {
      name: "a proof with a hash too few, or too many",
      requests: [
        ok(add(0, 5)),
        refused(edit(add(5, 9), /\n.*\n/, "\n")),
        refused(edit(add(5, 9), "\n\n", `\n${ZEROS}\n\n`)),
      ],
    },
    single("a proof from nothing that is not empty", edit(add(0, 5), "\n", `\n${ZEROS}\n`), 422),
    single("an empty tree with another root", body(0, [], signed(`${log.name}\n0\n${ZEROS}\n`)), 422),
    single(
      "a log that it doesn't know",
      body(0, [], signed(textOf(5).replace("main", "other"), { ...log, name: "log.example/other" })),
      404,
    ),
    single(
      "signed by nobody that it knows",
      body(0, [], `${textOf(5)}\n${line(stranger, stranger.sign(Buffer.from(textOf(5))))}`),
      403,
    ),
    single(
      "signed falsely by the log",
      body(0, [], `${textOf(6)}\n${line(log, log.sign(Buffer.from(textOf(5))))}`),
      403,
    ),
    single("signed well and falsely by the log", add(0, 6) + line(log, log.sign(Buffer.from(textOf(5)))), 403),
    single("lines by others are passed over", add(0, 6) + line(w1, w1.sign(Buffer.from("anything"))), 200),
    single("an extension line", body(0, [], signed(`${textOf(5)}an extension\n`)), 200),
    single("an old size above the checkpoint's", edit(add(0, 5), "old 0", "old 6"), 400),
    single("nothing", "", 400),
    single("an old size with a leading zero", edit(add(0, 5), "old 0", "old 00"), 400),
    single("two spaces", edit(add(0, 5), "old 0", "old  0"), 400),
    single("a carriage return", edit(add(0, 5), "old 0\n", "old 0\r\n"), 400),
    single("a hash of three bytes", edit(add(0, 5), "\n", "\nAAAA\n"), 400),
    single("64 hashes", edit(add(0, 5), "\n", `\n${`${ZEROS}\n`.repeat(64)}`), 400),
    single("no empty line before the note", edit(add(0, 5), "\n\n", "\n"), 400),
    single("a note without a signature", `old 0\n\n${textOf(5)}\n`, 400),
    single("a checkpoint of two lines", body(0, [], signed(`${log.name}\n5\n`)), 400),
    single("a size with a leading zero", body(0, [], signed(textOf(5).replace("\n5\n", "\n05\n"))), 400),
  ];
  return asJson(cases);
}

function single(name: string, request: string, status: number): WitnessCase {
  return { name, requests: [{ body: request, status }] };
}

function ok(request: string): WitnessCase["requests"][number] {
  return { body: request, status: 200 };
}

function refused(request: string): WitnessCase["requests"][number] {
  return { body: request, status: 422 };
}

function add(old: number, size: number, leaves: readonly Uint8Array[] = ONE): string {
  const proof = old === 0 || old > size ? [] : naiveProof(old, leaves.slice(0, size));
  return body(old, proof, signed(textOf(size, leaves)));
}

function body(old: number, proof: readonly Uint8Array[], note: string): string {
  return `old ${old}\n${proof.map((hash) => `${Buffer.from(hash).toString("base64")}\n`).join("")}\n${note}`;
}

function textOf(size: number, leaves: readonly Uint8Array[] = ONE): string {
  const root = naiveRoot(leaves.slice(0, size));
  return `${log.name}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
}

function signed(text: string, by: Signer = log): string {
  return `${text}\n${line(by, by.sign(Buffer.from(text)))}`;
}

function edit(text: string, from: string | RegExp, to: string): string {
  const edited = text.replace(from, () => to);
  if (edited === text) throw new Error(`There is no ${String(from)} to change.`);
  return edited;
}

if (import.meta.main) writeFileSync(join(VECTORS, "witness.json"), makeWitnessVectors());
