// Attestation objects and assertions of real keys and of the WebAuthn standard, where they are at hand.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseAttestationObject } from "../src/index.ts";
import { codeOf, fromHex, toHex, verifies } from "./kit.ts";

interface RealKey {
  readonly name: string;
  readonly attestationObject: string;
  readonly assertion?: {
    readonly authenticatorData: string;
    readonly clientDataJSON: string;
    readonly signature: string;
  };
}

interface StandardCase {
  readonly registration: { readonly attestationObject?: string };
}

const folder = `${process.env["TOUCHMARK_VECTORS"] ?? "/nonexistent"}/webauthn`;
const realKeys = (read("yubikeys.json") ?? []) as readonly RealKey[];
const standard = Object.entries((read("w3c-level3.json") ?? {}) as Record<string, StandardCase>);

function read(name: string): unknown {
  const file = `${folder}/${name}`;
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as unknown) : undefined;
}

const url = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64url"));

// Algorithms that no claim can hold.
const OTHER_ALGORITHM = /mldsa|windowshello|es384|es512|rs256|ed448/i;

test("what TOUCHMARK_VECTORS names is read, if it names anything", () => {
  expect([realKeys.length > 0, standard.length > 0]).toEqual([existsSync(folder), existsSync(folder)]);
});

if (realKeys.length > 0)
  describe("real authenticators", () => {
    test.each(realKeys)("$name", ({ name, attestationObject, assertion }) => {
      const bytes = url(attestationObject);
      if (OTHER_ALGORITHM.test(name)) {
        expect(codeOf(() => parseAttestationObject(bytes))).toBe("ALGORITHM_UNSUPPORTED");
        return;
      }
      const attestation = parseAttestationObject(bytes);
      expect(toHex(attestation.objectBytes)).toBe(toHex(bytes));
      if (name.startsWith("YubiKey")) expect(["packed", "fido-u2f"]).toContain(attestation.fmt);
      // The recorded assertions of these two belong to other credentials.
      if (assertion === undefined || name.startsWith("LargeBlob")) return;
      const authData = url(assertion.authenticatorData);
      const { publicKey } = attestation.authData.attested;
      const hash = createHash("sha256").update(url(assertion.clientDataJSON)).digest();
      expect(verifies(publicKey, { authData, signature: url(assertion.signature) }, hash)).toBe(true);
    });
  });

if (standard.length > 0)
  describe("WebAuthn Level 3, section Test Vectors", () => {
    test.each(standard.filter(([, { registration }]) => registration.attestationObject !== undefined))(
      "%s",
      (name, { registration }) => {
        const bytes = fromHex(registration.attestationObject ?? "");
        if (OTHER_ALGORITHM.test(name))
          expect(codeOf(() => parseAttestationObject(bytes))).toBe("ALGORITHM_UNSUPPORTED");
        else expect(toHex(parseAttestationObject(bytes).objectBytes)).toBe(toHex(bytes));
      },
    );
  });
