import { describe, expect, test } from "vitest";
import {
  type CoreError,
  encodeSshSignature,
  encodeUtf8,
  parseBase64,
  parseSshSignature,
  SK_ECDSA,
  SK_ED25519,
  signatureFromAssertion,
  signedBytes,
  verifySshSignature,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import type { SshsigCase } from "./make-vectors/sshsig.ts";
import { refusalOf } from "./support/refusal.ts";
import { makeSoftKey } from "./support/soft-key.ts";
import { readVectors } from "./support/vectors.ts";

const cases = readVectors<SshsigCase>("sshsig.json");
const NO_DEMANDS = { userVerification: false, deviceBound: false };

describe("SSHSIG: refused", () => {
  test.each(cases.filter(({ error }) => error !== null))("[$rule] $name", (one) => {
    expect(refusalOf(() => verify(one))).toEqual(one.error);
  });

  test("[K-5] to [K-14] are all among the cases", () => {
    const rules = new Set(cases.filter(({ error }) => error !== null).map(({ rule }) => rule));
    expect([...rules]).toEqual(expect.arrayContaining(Array.from({ length: 10 }, (_, i) => `K-${i + 5}`)));
  });
});

describe("SSHSIG: accepted", () => {
  test.each(cases.filter(({ error }) => error === null))("[$rule] $name", (one) => {
    verify(one);
    const blob = parseBase64(one.blob);
    expect(encodeSshSignature(parseSshSignature(blob))).toEqual(blob);
  });
});

test("[C-15] a blob of 8 KiB, and no more", () => {
  const key = makeSoftKey({
    type: SK_ECDSA,
    application: "team.example",
    origin: "https://team.example",
    seed: "blob",
  });
  const signed = key.signBytes(signedBytes(nobleCrypto, encodeUtf8("message")));
  const withExtensions = (bytes: number): Uint8Array => {
    const webauthn = { ...signed.webauthn!, extensions: new Uint8Array(bytes) };
    return encodeSshSignature({ ...signed, webauthn });
  };
  const room = 8192 - withExtensions(0).length;
  expect(withExtensions(room).length).toBe(8192);
  expect(refusalOf(() => parseSshSignature(withExtensions(room)))).toBeNull();
  expect(refusalOf(() => parseSshSignature(withExtensions(room + 1)))).toEqual({ code: "TOO_LARGE", rule: "C-15" });
});

describe("a security key's assertion becomes a signature [K-8]", () => {
  const tbs = signedBytes(nobleCrypto, encodeUtf8("message"));

  test.each([SK_ED25519, SK_ECDSA] as const)("%s: flags and counter come from the authenticator data", (type) => {
    const soft = makeSoftKey({ type });
    const made = soft.signBytes(tbs, { flags: 0x05, counter: 0x01020304 });
    const authData = Uint8Array.of(...nobleCrypto.sha256(encodeUtf8("ssh:touchmark")), 5, 1, 2, 3, 4);
    const signature = signatureFromAssertion(nobleCrypto, soft.key, authData, made.signature);
    expect(signature).toEqual(made);
    verifySshSignature(nobleCrypto, signature, tbs, { userVerification: true, deviceBound: true });
  });

  test("refuses another application, added data, and a signature of another form", () => {
    const soft = makeSoftKey({ type: SK_ECDSA });
    const { signature } = soft.signBytes(tbs);
    const here = Uint8Array.of(...nobleCrypto.sha256(encodeUtf8("ssh:touchmark")), 1, 0, 0, 0, 1);
    const elsewhere = Uint8Array.of(...nobleCrypto.sha256(encodeUtf8("ssh:")), 1, 0, 0, 0, 1);
    const make = (authData: Uint8Array, raw: Uint8Array, key = soft.key): (() => unknown) => {
      return () => signatureFromAssertion(nobleCrypto, key, authData, raw);
    };
    const other = makeSoftKey({ type: SK_ED25519 }).key;
    expect(refusalOf(make(elsewhere, signature))).toEqual({ code: "WRONG_APPLICATION", rule: "K-8" });
    expect(refusalOf(make(here.subarray(0, 36), signature))).toEqual({ code: "MALFORMED", rule: "K-8" });
    expect(refusalOf(make(Uint8Array.of(...here, 0xa0), signature))).toEqual({ code: "MALFORMED", rule: "K-8" });
    expect(refusalOf(make(here, signature.subarray(1)))).toEqual({ code: "BAD_SIGNATURE", rule: "K-7" });
    expect(refusalOf(make(here, signature, other))).toEqual({ code: "BAD_SIGNATURE", rule: "K-7" });
    expect(refusalOf(make(here, signature))).toBeNull();
  });
});

test("a refusal for want of a PIN says what to do", () => {
  const soft = makeSoftKey();
  const tbs = signedBytes(nobleCrypto, encodeUtf8("message"));
  const demands = { ...NO_DEMANDS, userVerification: true };
  expect(() => verifySshSignature(nobleCrypto, soft.signBytes(tbs), tbs, demands)).toThrow(
    expect.objectContaining({ name: "CoreError", hint: expect.stringContaining("--uv") }) as CoreError,
  );
});

function verify({ blob, message, userVerification, deviceBound }: SshsigCase): void {
  const signature = parseSshSignature(parseBase64(blob));
  const tbs = signedBytes(nobleCrypto, parseBase64(message));
  verifySshSignature(nobleCrypto, signature, tbs, { userVerification, deviceBound });
}
