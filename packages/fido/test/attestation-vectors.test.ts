// Attestations of real keys and of the WebAuthn standard, held against their makers' published roots, where they are at hand.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type AttestationRoots,
  type AttestationVerdict,
  checkAttestation,
  parseAttestationObject,
  readRoots,
} from "../src/index.ts";
import { codesOf, NOW, pointOf, rootsOf } from "./attestation-kit.ts";
import { fromHex } from "./kit.ts";

interface RealKey {
  readonly name: string;
  readonly clientDataJSON: string;
  readonly attestationObject: string;
}

interface StandardCase {
  readonly registration: {
    readonly attestationObject?: string;
    readonly clientDataJSON?: string;
    readonly attestation_ca_cert?: string;
  };
}

const folder = process.env["TOUCHMARK_VECTORS"] ?? "/nonexistent";
const read = (name: string): unknown =>
  existsSync(`${folder}/${name}`) ? (JSON.parse(readFileSync(`${folder}/${name}`, "utf8")) as unknown) : undefined;
const realKeys = ((read("webauthn/yubikeys.json") ?? []) as readonly RealKey[]).filter(({ name }) =>
  /^(?:yubikey|securitykey)/i.test(name),
);
const standard = (read("webauthn/w3c-level3.json") ?? {}) as Record<string, StandardCase>;

test("what TOUCHMARK_VECTORS names is read, if it names anything", () => {
  expect([realKeys.length, Object.keys(standard).length > 0]).toEqual(existsSync(folder) ? [16, true] : [0, false]);
});

function checkReal(
  object: Uint8Array,
  clientDataJson: Uint8Array,
  application: string,
  roots: AttestationRoots,
): AttestationVerdict {
  const { fmt, authData } = parseAttestationObject(object);
  return checkAttestation({
    attestation: { format: fmt, object },
    key: { publicKey: pointOf(authData.attested.publicKey), application },
    clientDataHash: new Uint8Array(createHash("sha256").update(clientDataJson).digest()),
    roots,
    time: NOW,
  });
}

if (realKeys.length > 0)
  describe("real keys under Yubico's roots", () => {
    const FIRMWARE: Readonly<Record<string, string>> = {
      YubikeyFips5Nfc: "5.4.2 certificate",
      Yubikey5ciFips: "5.4.2 certificate",
      YubikeyBio_5_5_4: "5.5.4 certificate",
      YubikeyBio_5_5_5: "5.5.5 certificate",
      YubikeyBio_5_5_6: "5.5.6 certificate",
      YubiKey5: "5.1 aaguid",
      YubiKey5Ci: "5.2 or 5.4 aaguid",
      YubiKey5cNfc: "5.2 or 5.4 aaguid",
    };

    test.each(realKeys)("$name", async ({ name, attestationObject, clientDataJSON }) => {
      const roots = await readRoots(`${folder}/pki`);
      const object = new Uint8Array(Buffer.from(attestationObject, "base64url"));
      const clientData = Buffer.from(clientDataJSON, "base64url");
      const verdict = checkReal(object, clientData, applicationOf(object, clientData), roots);
      // The certificate of one early key has a signature that nobody's root made.
      expect(codesOf(verdict)).toEqual(name === "SecurityKey" ? ["CERTIFICATE_FORGED"] : []);
      if (FIRMWARE[name] !== undefined)
        expect(`${verdict.firmware?.text} ${verdict.firmware?.source}`).toBe(FIRMWARE[name]);
      const { alg } = parseAttestationObject(object).authData.attested.publicKey;
      const certainty = verdict.firmware === undefined ? "possible" : "affected";
      expect(verdict.advisories.map((one) => one.certainty)).toEqual(alg === "EdDSA" ? [] : [certainty]);
      const changed = Buffer.concat([clientData, Buffer.from(" ")]);
      expect(codesOf(checkReal(object, changed, applicationOf(object, clientData), roots))).toContain(
        "STATEMENT_FORGED",
      );
    });

    // The rpId of these recordings is the origin's host or a domain above it.
    function applicationOf(object: Uint8Array, clientData: Uint8Array): string {
      const { origin } = JSON.parse(Buffer.from(clientData).toString()) as { readonly origin: string };
      const { rpIdHash } = parseAttestationObject(object).authData;
      const labels = (URL.canParse(origin) ? new URL(origin).hostname : origin).split(".");
      const found = labels
        .map((_, index) => labels.slice(index).join("."))
        .find((one) => createHash("sha256").update(one).digest().equals(rpIdHash));
      return found ?? "";
    }
  });

if (Object.keys(standard).length > 0)
  describe("WebAuthn Level 3, section Test Vectors", () => {
    test.each([
      ["packed-es256", []],
      ["packed-eddsa", []],
      ["fido-u2f-es256", []],
      ["packed-self-es256", ["SELF_ATTESTED"]],
      ["none-es256", ["NOT_ATTESTED"]],
      ["none-es256-long-credential-id", ["NOT_ATTESTED"]],
      ["apple-es256", ["FORMAT_UNKNOWN"]],
      ["android-key-es256", ["FORMAT_UNKNOWN"]],
      ["tpm-es256", ["FORMAT_UNKNOWN"]],
    ])("%s", (name, codes) => {
      const roots = rootsOf(fromHex(standard["attestation-root-cert"]?.registration.attestation_ca_cert ?? ""));
      const { attestationObject = "", clientDataJSON = "" } = standard[name]?.registration ?? {};
      const object = fromHex(attestationObject);
      expect(codesOf(checkReal(object, fromHex(clientDataJSON), "example.org", roots))).toEqual(codes);
    });
  });
