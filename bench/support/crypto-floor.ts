import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

// What checking the signed tree costs at the very least, whatever the format: reading its files, the signatures by two holders of each package with
// the keys at hand, and the SHA-256 of every node and leaf of its proofs. Run as a process of its own; argument: the tree's folder.
const folder = process.argv[2]!;
const work = JSON.parse(readFileSync(join(folder, "floor.json"), "utf8")) as {
  keys: string[];
  signatures: { key: number; message: string; signature: string }[];
  hashes: number;
  envelopes: number[];
};
for (const file of ["touchmark.json", "package-lock.json", "touchmark.lock"]) readFileSync(join(folder, file));
const keys: KeyObject[] = work.keys.map((key) =>
  createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" }),
);
for (const { key, message, signature } of work.signatures) {
  if (!verify("sha256", Buffer.from(message, "base64"), keys[key]!, Buffer.from(signature, "base64"))) process.exit(1);
}
const node = Buffer.alloc(65, 1);
const bytes = Buffer.alloc(256 * 1024, 1);
for (let i = 0; i < work.hashes; i++) hash("sha256", node, "binary");
for (const length of work.envelopes) {
  hash("sha256", bytes.subarray(0, length), "binary");
  hash("sha512", bytes.subarray(0, length / 3), "binary"); // about the payload's share of it
}
