import { describe, expect, test } from "vitest";
import {
  encodeKey,
  encodeUtf8,
  type Key,
  SK_ECDSA,
  SK_ED25519,
  type SshSignature,
  verifySshSignature,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import { refusalOf } from "./support/refusal.ts";
import { clientDataFor, makeSoftKey } from "./support/soft-key.ts";
import { readPublicVector } from "./support/vectors.ts";

// Any assertion is a signature in the form of [K-8], with clientDataJSON for tbs; and one that a browser of today made
// is a signature in the form of [K-9], with its challenge for tbs.

interface Assertion {
  name: string;
  key: Key;
  authData: Buffer;
  clientData: Buffer;
  signature: Buffer;
}

const RP_IDS = ["example.org", "example.com", "demo.yubico.com", "team.example"];
const NO_DEMANDS = { userVerification: false, deviceBound: false };
const assertions = [...own(), ...w3c(), ...yubikeys()];

describe("WebAuthn Level 3 assertions: verified; with another counter refused", () => {
  test.each(assertions)("$name, as what a security key signed [K-8]", (one) => {
    const signature = asSignature(one);
    verifySshSignature(nobleCrypto, signature, one.clientData, NO_DEMANDS);
    const counted = { ...signature, counter: (signature.counter + 1) >>> 0 };
    expect(refusalOf(() => verifySshSignature(nobleCrypto, counted, one.clientData, NO_DEMANDS))).toEqual({
      code: "BAD_SIGNATURE",
      rule: "K-8",
    });
  });

  test.each(assertions.filter(isBrowserForm))("$name, in the browser's form [K-9]", (one) => {
    const { challenge, origin } = JSON.parse(one.clientData.toString()) as { challenge: string; origin: string };
    const signature = asSignature(one, { origin, clientData: one.clientData, extensions: new Uint8Array(0) });
    const tbs = Buffer.from(challenge, "base64url");
    verifySshSignature(nobleCrypto, signature, tbs, NO_DEMANDS);
    const other = Buffer.concat([tbs, Buffer.of(0)]);
    expect(refusalOf(() => verifySshSignature(nobleCrypto, signature, other, NO_DEMANDS))).toEqual({
      code: "WRONG_CHALLENGE",
      rule: "K-9",
    });
  });
});

function own(): Assertion[] {
  const origin = "https://gate.team.example";
  const { key, signBytes } = makeSoftKey({ type: SK_ECDSA, application: "team.example", origin });
  const tbs = encodeUtf8("touchmark");
  const { signature } = signBytes(tbs, { flags: 0x05, counter: 3 });
  const authData = Buffer.concat([nobleCrypto.sha256(encodeUtf8("team.example")), Buffer.of(5, 0, 0, 0, 3)]);
  const clientData = Buffer.from(clientDataFor(tbs, origin));
  return [{ name: "own", key, authData, clientData, signature: Buffer.from(signature) }];
}

function w3c(): Assertion[] {
  const text = readPublicVector("webauthn/w3c-level3.json");
  if (text === null) return [];
  const all = JSON.parse(text) as Record<string, { registration: Fields; authentication: Fields }>;
  return Object.entries(all).flatMap(([name, { registration, authentication }]) =>
    read(`W3C ${name}`, registration, authentication, "hex"),
  );
}

function yubikeys(): Assertion[] {
  const text = readPublicVector("webauthn/yubikeys.json");
  if (text === null) return [];
  const all = JSON.parse(text) as { name: string; attestationObject: string; assertion?: Fields }[];
  return all.flatMap(({ name, attestationObject, assertion }) =>
    assertion ? read(`YubiKey ${name}`, { attestationObject }, assertion, "base64url") : [],
  );
}

type Fields = Record<string, string>;

/** The assertion, if it is by an ES256 or EdDSA key, for a known rpId, and its clientDataJSON was recorded. */
function read(name: string, registration: Fields, authentication: Fields, encoding: "hex" | "base64url"): Assertion[] {
  const [authData, clientData, signature] = ["authenticatorData", "clientDataJSON", "signature"].map((field) =>
    Buffer.from(authentication[field] ?? "", encoding),
  ) as [Buffer, Buffer, Buffer];
  if (!clientData.includes("webauthn.get")) return [];
  const rpId = RP_IDS.find((id) => authData.subarray(0, 32).equals(nobleCrypto.sha256(encodeUtf8(id))));
  const cose = Buffer.from(registration["attestationObject"] ?? "", encoding).toString("hex");
  const es256 = /a5010203262001215820([0-9a-f]{64})225820([0-9a-f]{64})/.exec(cose);
  const eddsa = /a4010103272006215820([0-9a-f]{64})/.exec(cose);
  if (rpId === undefined || (es256 === null && eddsa === null)) return [];
  const key = es256
    ? encodeKey(SK_ECDSA, Buffer.from(`04${es256[1]}${es256[2]}`, "hex"), rpId)
    : encodeKey(SK_ED25519, Buffer.from(eddsa![1]!, "hex"), rpId);
  return [{ name, key, authData, clientData, signature }];
}

function asSignature(one: Assertion, webauthn: SshSignature["webauthn"] = null): SshSignature {
  const { key, authData, signature } = one;
  expect(authData.length).toBe(37);
  return { key, flags: authData[32]!, counter: authData.readUInt32BE(33), signature, webauthn };
}

function isBrowserForm({ key, clientData }: Assertion): boolean {
  return key.type === SK_ECDSA && /^\{"type":"webauthn.get","challenge":"[^"]*","origin":/.test(clientData.toString());
}
