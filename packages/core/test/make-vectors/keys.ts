import { hash } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { SK_ECDSA, SK_ED25519 } from "../../src/index.ts";
import { makeSoftKey } from "../support/soft-key.ts";
import { writeStrings } from "./ssh-blob.ts";

/** One key record, good or refused with a code by a rule. */
export interface KeyCase {
  name: string;
  record: string;
  /** Of good records only. */
  fingerprint: string | null;
  application: string | null;
  error: { code: string; rule: string } | null;
}

const ed = makeSoftKey({ type: SK_ED25519, seed: "keys" });
const ec = makeSoftKey({ type: SK_ECDSA, seed: "keys" });

/** Key records by [K-1] to [K-4]. */
export function keyCases(): KeyCase[] {
  const edKey = ed.key.publicKey;
  const ecKey = ec.key.publicKey;
  const offCurve = Buffer.from(ecKey);
  offCurve[64]! ^= 1;
  const hybrid = Buffer.concat([Buffer.of(6 + (ecKey[64]! % 2)), ecKey.subarray(1)]);
  const padded = Buffer.concat([ecKey.subarray(0, 33), Buffer.of(0), ecKey.subarray(33)]);
  const record = (type: string, ...fields: (string | Uint8Array)[]): string =>
    `${type} ${writeStrings(type, ...fields).toString("base64")}`;
  const base64 = ed.record.split(" ")[1]!;
  const whole = Buffer.from(base64, "base64");
  const small = Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "hex");
  return [
    good("Ed25519", ed.record, "ssh:touchmark"),
    good("ECDSA", ec.record, "ssh:touchmark"),
    good("a browser's", record(SK_ECDSA, "nistp256", ecKey, "team.example"), "team.example"),
    good("an application from ! to ~", record(SK_ED25519, edKey, "!~"), "!~"),
    good("an application of 253 characters", record(SK_ED25519, edKey, "a".repeat(253)), "a".repeat(253)),
    bad("K-1", "nothing", ""),
    bad("K-1", "one word", SK_ED25519),
    bad("K-1", "a comment", `${ed.record} alice`),
    bad("K-1", "a space at the end", `${ed.record} `),
    bad("K-1", "options in front", `no-touch-required ${ed.record}`),
    bad("K-1", "two spaces", ed.record.replace(" ", "  ")),
    bad("K-1", "a tab", ed.record.replace(" ", "\t")),
    bad("K-1", "a plain key", record("ssh-ed25519", edKey)),
    bad(
      "K-1",
      "the browser's signature type",
      record("webauthn-sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", ecKey, "x"),
    ),
    bad("K-1", "a certificate", record("sk-ssh-ed25519-cert-v01@openssh.com", edKey, "ssh:touchmark")),
    bad("K-1", "a type in capitals", ed.record.replace("sk-ssh", "SK-SSH")),
    bad("K-1", "another type in the blob", ed.record.replace(SK_ED25519, SK_ECDSA)),
    bad("C-2", "a line feed at the end", `${ed.record}\n`),
    bad("C-2", "base64 without its padding", `${SK_ED25519} ${base64.replace(/=+$/, "")}`),
    bad("C-2", "base64url", `${SK_ED25519} ${base64.slice(0, -4)}-_==`),
    bad("K-2", "an empty blob", `${SK_ED25519} `),
    bad("K-2", "a blob cut short", `${SK_ED25519} ${whole.subarray(0, -1).toString("base64")}`),
    bad("K-2", "a trailing byte", `${SK_ED25519} ${Buffer.concat([whole, Buffer.of(0)]).toString("base64")}`),
    bad("K-2", "no application field", record(SK_ED25519, edKey)),
    bad("K-2", "a key of 31 bytes", record(SK_ED25519, edKey.subarray(1), "ssh:touchmark")),
    bad("K-2", "a key of 33 bytes", record(SK_ED25519, Buffer.concat([edKey, Buffer.of(0)]), "ssh:touchmark")),
    bad("K-2", "an Ed25519 key of small order", record(SK_ED25519, small, "ssh:touchmark")),
    bad("K-2", "a point off the curve", record(SK_ECDSA, "nistp256", offCurve, "ssh:touchmark")),
    bad("K-2", "the point at infinity", record(SK_ECDSA, "nistp256", Buffer.of(0), "ssh:touchmark")),
    bad("K-2", "a hybrid point", record(SK_ECDSA, "nistp256", hybrid, "ssh:touchmark")),
    bad("K-2", "a point with a zero in front of y", record(SK_ECDSA, "nistp256", padded, "ssh:touchmark")),
    bad("K-2", "a point with x + p in place of x", record(SK_ECDSA, "nistp256", unreduced(), "ssh:touchmark")),
    bad("K-2", "a compressed point", record(SK_ECDSA, "nistp256", ecKey.subarray(0, 33), "ssh:touchmark")),
    bad("K-2", "another curve", record(SK_ECDSA, "nistp384", ecKey, "ssh:touchmark")),
    bad("K-3", "an empty application", record(SK_ED25519, edKey, "")),
    bad("K-3", "an application with a space", record(SK_ED25519, edKey, "ssh:touch mark")),
    bad("K-3", "an application of 254 characters", record(SK_ED25519, edKey, "a".repeat(254))),
    bad("K-2", "an application that is not ASCII", record(SK_ED25519, edKey, "ssh:töuchmark")),
  ];
}

function good(name: string, record: string, application: string): KeyCase {
  const digest = hash("sha256", Buffer.from(record.split(" ")[1]!, "base64"), "buffer");
  const fingerprint = `SHA256:${digest.toString("base64").replace(/=+$/, "")}`;
  return { name, record, fingerprint, application, error: null };
}

function bad(rule: string, name: string, record: string): KeyCase {
  return { name, record, fingerprint: null, application: null, error: { code: "BAD_KEY", rule } };
}

/** A point of small x, with x written as x + p, which still has 32 bytes. */
function unreduced(): Buffer {
  for (let x = 0n; ; x++) {
    try {
      const point = Buffer.from(p256.Point.fromHex(`02${x.toString(16).padStart(64, "0")}`).toBytes(false));
      return Buffer.concat([
        Buffer.of(4),
        Buffer.from((x + p256.Point.Fp.ORDER).toString(16), "hex"),
        point.subarray(33),
      ]);
    } catch {
      continue; // every second x has no point
    }
  }
}
