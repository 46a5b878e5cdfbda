/**
 * Makes test/vectors/cosigning from fixed seeds, by the text of the specification and without the code under test: `node packages/log/test/support/cosigning-vectors.ts`
 * writes the files. ML-DSA-44 is @noble/post-quantum's, in its form without randomness, so that the same bytes come out each time.
 */
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ml_dsa44 as mlDsa } from "@noble/post-quantum/ml-dsa.js";
import { POLICIES } from "./policy-cases.ts";

export const VECTORS: string = join(import.meta.dirname, "../../../../test/vectors/cosigning");
export const TIME = 1_800_000_000;

export type Signer = {
  name: string;
  type: number;
  seed: string;
  vkey: string;
  id: Buffer;
  sign: (message: Buffer) => Buffer;
};

export const SIGNERS: Record<string, Signer> = {
  log: signer("log.example/main", 1, 1),
  w1: signer("w1.example", 4, 2),
  w2: signer("w2.example", 4, 3),
  w3: signer("w3.example", 4, 4),
  w4: signer("w4.example/four", 4, 5),
  bare: signer("bare.example", 1, 6),
  stranger: signer("w1.example", 4, 7),
  m1: signer("m1.example", 6, 8),
  m2: signer("m2.example", 6, 9),
};

const ROOT = createHash("sha256").update("a root").digest();
const TEXT = checkpointText("log.example/main", 5);

/** The files of the folder by name. */
export function makeVectors(): Record<string, string> {
  const keys = Object.fromEntries(
    Object.entries(SIGNERS).map(([id, { name, type, seed, vkey }]) => [id, { name, type, seed, vkey }]),
  );
  const vkeys = (text: string): string => text.replaceAll(/\$(\w+)/g, (_, id: string) => SIGNERS[id]!.vkey);
  return {
    "keys.json": asJson(keys),
    "cosignatures.json": asJson(cosignatureCases()),
    "policies.json": asJson(POLICIES.map((one) => ({ ...one, policy: vkeys(one.policy) }))),
  };
}

function cosignatureCases(): unknown[] {
  const { log, w1, w2, stranger, m1, m2 } = SIGNERS;
  const good = (name: string, text: string, lines: string[], keys: string[], result: unknown): unknown => ({
    name,
    note: `${text}\n${lines.join("")}`,
    keys,
    result,
  });
  const bad = (name: string, lines: string[], keys: string[], text: string = TEXT): unknown =>
    good(name, text, lines, keys, "refused");
  const logLine = line(log!, log!.sign(Buffer.from(TEXT)));
  const other = checkpointText("log.example/other", 5);
  const extended = `${TEXT}an extension line\n`;
  return [
    good("Ed25519", TEXT, [logLine, cosignEd(w1!, TEXT, TIME)], ["w1"], [["w1", TIME]]),
    good("ML-DSA-44", TEXT, [logLine, cosignMl(m1!, TIME)], ["m1"], [["m1", TIME]]),
    good(
      "both kinds",
      TEXT,
      [cosignMl(m1!, TIME + 1), logLine, cosignEd(w1!, TEXT, TIME)],
      ["w1", "m1"],
      [
        ["w1", TIME],
        ["m1", TIME + 1],
      ],
    ),
    good(
      "an unknown key's line is passed over",
      TEXT,
      [cosignEd(w2!, TEXT, TIME), cosignEd(w1!, TEXT, TIME)],
      ["w1"],
      [["w1", TIME]],
    ),
    good("an unknown key with a known one's name is passed over", TEXT, [cosignEd(stranger!, TEXT, TIME)], ["w1"], []),
    good(
      "two by one key",
      TEXT,
      [cosignEd(w1!, TEXT, TIME), cosignEd(w1!, TEXT, TIME + 60)],
      ["w1"],
      [
        ["w1", TIME],
        ["w1", TIME + 60],
      ],
    ),
    good("time 0 is a time like any other to the format", TEXT, [cosignMl(m1!, 0)], ["m1"], [["m1", 0]]),
    good("an extension line is covered by Ed25519", extended, [cosignEd(w1!, extended, TIME)], ["w1"], [["w1", TIME]]),
    good("an extension line is not covered by ML-DSA-44", extended, [cosignMl(m1!, TIME)], ["m1"], [["m1", TIME]]),
    bad("Ed25519 over another origin", [cosignEd(w1!, other, TIME)], ["w1"]),
    bad("ML-DSA-44 over another origin", [cosignMl(m1!, TIME, { origin: "log.example/other" })], ["m1"]),
    bad("ML-DSA-44 over another size", [cosignMl(m1!, TIME, { end: 6 })], ["m1"]),
    bad("ML-DSA-44 over a subtree that does not start at 0", [cosignMl(m1!, TIME, { start: 4 })], ["m1"]),
    bad("ML-DSA-44 over another name", [cosignMl(m1!, TIME, { name: "m2.example" })], ["m1"]),
    bad("ML-DSA-44 by another key", [line(m1!, stamped(TIME, m2!.sign(messageMl(m1!, TIME))))], ["m1"]),
    bad("ML-DSA-44 over the text of Ed25519", [line(m1!, stamped(TIME, m1!.sign(messageEd(TEXT, TIME))))], ["m1"]),
    bad(
      "the time in the line is not the one signed",
      [line(w1!, stamped(TIME + 1, w1!.sign(messageEd(TEXT, TIME))))],
      ["w1"],
    ),
    bad("a good one does not save a false one", [cosignEd(w2!, TEXT, TIME), cosignEd(w1!, other, TIME)], ["w1", "w2"]),
    bad("a note signature is no cosignature", [line(w1!, w1!.sign(Buffer.from(TEXT)))], ["w1"]),
    bad("a time of 2^63", [line(w1!, stamped(2n ** 63n, w1!.sign(messageEd(TEXT, 2n ** 63n))))], ["w1"]),
    bad("a signature a byte short", [line(w1!, stamped(TIME, w1!.sign(messageEd(TEXT, TIME)).subarray(1)))], ["w1"]),
    bad("no signature behind the time", [line(w1!, stamped(TIME, Buffer.alloc(0)))], ["w1"]),
    bad("a note that is no checkpoint", [cosignEd(w1!, "one\ntwo\n", TIME)], ["w1"], "one\ntwo\n"),
  ];
}

function signer(name: string, type: number, seedByte: number): Signer {
  const seed = Buffer.alloc(32, seedByte);
  const { publicKey, sign: signIt } = type === 6 ? mlDsaSigner(seed) : ed25519Signer(seed);
  const material = Buffer.concat([Buffer.of(type), publicKey]);
  const id = createHash("sha256").update(`${name}\n`).update(material).digest().subarray(0, 4);
  const vkey = `${name}+${id.toString("hex")}+${material.toString("base64")}`;
  return { name, type, seed: seed.toString("hex"), vkey, id, sign: signIt };
}

function ed25519Signer(seed: Buffer): { publicKey: Uint8Array; sign: Signer["sign"] } {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { publicKey, sign: (message) => sign(null, message, key) };
}

function mlDsaSigner(seed: Buffer): { publicKey: Uint8Array; sign: Signer["sign"] } {
  const { publicKey, secretKey } = mlDsa.keygen(seed);
  return { publicKey, sign: (message) => Buffer.from(mlDsa.sign(message, secretKey, { extraEntropy: false })) };
}

function checkpointText(origin: string, size: number): string {
  return `${origin}\n${size}\n${ROOT.toString("base64")}\n`;
}

function cosignEd(by: Signer, text: string, time: number): string {
  return line(by, stamped(time, by.sign(messageEd(text, time))));
}

function messageEd(text: string, time: number | bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
}

type Message = { name?: string; origin?: string; start?: number; end?: number };

function cosignMl(by: Signer, time: number, message: Message = {}): string {
  return line(by, stamped(time, by.sign(messageMl(by, time, message))));
}

function messageMl(by: Signer, time: number, message: Message = {}): Buffer {
  const { name = by.name, origin = "log.example/main", start = 0, end = 5 } = message;
  return Buffer.concat([
    Buffer.from("subtree/v1\n\0"),
    Buffer.of(name.length),
    Buffer.from(name),
    u64(time),
    Buffer.of(origin.length),
    Buffer.from(origin),
    u64(start),
    u64(end),
    ROOT,
  ]);
}

function stamped(time: number | bigint, signature: Uint8Array): Buffer {
  return Buffer.concat([u64(time), signature]);
}

export function line({ name, id }: Signer, signature: Uint8Array): string {
  return `\u2014 ${name} ${Buffer.concat([id, signature]).toString("base64")}\n`;
}

function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(makeVectors())) writeFileSync(join(VECTORS, name), text);
}
