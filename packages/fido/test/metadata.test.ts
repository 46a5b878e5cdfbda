// FIDO Metadata Service 3.1, and K5: a metadata file that has expired is believed in nothing.
import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checkMetadata, type Metadata } from "../src/index.ts";
import { keyIdentifier, parseCertificate } from "../src/attestation/certificate.ts";
import {
  basicConstraints,
  createAttestationRoot,
  createBatchAttestation,
  type IssuedCertificate,
  issueCertificate,
  name,
} from "../src/testing/index.ts";
import { AAGUID, check, codesOf, enrolled, NOW, rootsOf } from "./attestation-kit.ts";
import { toHex } from "./kit.ts";

const authority = createAttestationRoot({ subject: name({ commonName: "an authority for all the world" }) });
const signer = signedFor("mds.fidoalliance.org");
const batch = createBatchAttestation(AAGUID);

function signedFor(commonName: string, issuer: IssuedCertificate = authority): IssuedCertificate {
  return issueCertificate({ subject: name({ commonName }), issuer, extensions: [basicConstraints(false)] });
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const dashed = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

const ENTRY = {
  aaguid: dashed(toHex(AAGUID)),
  metadataStatement: { description: "A key \u202ethat is none", attestationRootCertificates: [base64(batch.root)] },
  statusReports: [{ status: "FIDO_CERTIFIED", effectiveDate: "2026-01-01" }],
  timeOfLastStatusChange: "2026-01-01",
};

// 64 bytes in base64url leave four bits of the last digit unused.
const nextDigit = (digit = ""): string => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return digits[digits.indexOf(digit) + 1] ?? "";
};

const OTHER_PAYLOAD = { no: 8, nextUpdate: "2030-01-01", entries: [ENTRY] };

interface Changes {
  readonly payload?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
  readonly by?: IssuedCertificate;
  readonly alter?: (blob: string) => string;
}

function blob({ payload, header, by = signer, alter = (text) => text }: Changes = {}): Uint8Array {
  const head = url({ alg: "ES256", typ: "JWT", x5c: [base64(by.der)], ...header });
  const body = url({ legalHeader: "…", no: 7, nextUpdate: "2026-11-23", entries: [ENTRY], ...payload });
  const signature = sign("sha256", Buffer.from(`${head}.${body}`), { key: by.privateKey, dsaEncoding: "ieee-p1363" });
  return new TextEncoder().encode(alter(`${head}.${body}.${signature.toString("base64url")}`));
}

function metadata(changes: Changes = {}, time = NOW): Metadata {
  return checkMetadata({ blob: blob(changes), signers: rootsOf(authority.der), time });
}

const codes = ({ reasons }: Metadata): string[] => reasons.map(({ code }) => code);

describe("a metadata file", () => {
  test("that is signed, and of its day", () => {
    const read = metadata();
    expect([codes(read), read.number, read.nextUpdate]).toEqual([[], 7, "2026-11-23"]);
    expect(read.find(toHex(AAGUID), [])?.compromises).toEqual([]);
    expect(read.find("00".repeat(16), [])).toBeUndefined();
  });

  test("is good until the end of the day on which the next is due", () => {
    const lastSecond = Date.parse("2026-11-23T23:59:59Z") / 1000;
    expect(codes(metadata({}, lastSecond))).toEqual([]);
    expect(codes(metadata({}, lastSecond + 1))).toEqual(["METADATA_EXPIRED"]);
  });

  test.each<readonly [string, Changes, string]>([
    ["changed", { alter: (text) => text.split(".").with(1, url(OTHER_PAYLOAD)).join(".") }, "METADATA_FORGED"],
    ["with padding", { alter: (text) => `${text}=` }, "METADATA_MALFORMED"],
    ["in a second spelling", { alter: (text) => text.slice(0, -1) + nextDigit(text.at(-1)) }, "METADATA_MALFORMED"],
    ["signed by nobody", { header: { alg: "none" } }, "METADATA_FORGED"],
    ["signed with a secret that everybody has", { header: { alg: "HS256" } }, "METADATA_FORGED"],
    ["signed with another algorithm than its key's", { header: { alg: "RS256" } }, "METADATA_FORGED"],
    ["signed by somebody else under the same authority", { by: signedFor("shop.example") }, "METADATA_SIGNER_UNKNOWN"],
    [
      "signed under another authority",
      { by: signedFor("mds.fidoalliance.org", createAttestationRoot({ subject: name({ commonName: "other" }) })) },
      "METADATA_SIGNER_UNKNOWN",
    ],
    ["without certificates", { header: { x5c: undefined } }, "METADATA_MALFORMED"],
    ["with certificates that are none", { header: { x5c: ["AAAA"] } }, "METADATA_MALFORMED"],
    ["with an instruction in its header", { header: { crit: ["b64"] } }, "METADATA_MALFORMED"],
    ["without a number", { payload: { no: "7" } }, "METADATA_MALFORMED"],
    ["without a date", { payload: { nextUpdate: "soon" } }, "METADATA_MALFORMED"],
    ["without entries", { payload: { entries: {} } }, "METADATA_MALFORMED"],
    ["of two parts", { alter: (text) => text.split(".").slice(0, 2).join(".") }, "METADATA_MALFORMED"],
    ["that is none", { alter: () => "…" }, "METADATA_MALFORMED"],
  ])("%s", (_, changes, code) => {
    const read = metadata(changes);
    expect(codes(read)).toEqual([code]);
    expect(read.find(toHex(AAGUID), [])).toBeUndefined();
  });

  test("signed with RS256, as the real one is", () => {
    const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const subject = name({ commonName: "mds.fidoalliance.org" });
    const by = issueCertificate({ subject, issuer: authority, keys, extensions: [basicConstraints(false)] });
    expect(codes(metadata({ by, header: { alg: "RS256" } }))).toEqual([]);
    expect(codes(metadata({ by, header: { alg: "ES256" } }))).toEqual(["METADATA_FORGED"]);
  });
});

describe("an attestation held against metadata", () => {
  test("is believed; the model has its name from there, cleaned", async () => {
    const verdict = check(await enrolled(batch), { metadata: metadata() });
    expect(codesOf(verdict)).toEqual([]);
    expect(verdict.model).toEqual({ name: "A key \\u{202e}that is none", source: "metadata" });
  });

  test("of a model that it does not know", async () => {
    expect(codesOf(check(await enrolled(batch), { metadata: metadata({ payload: { entries: [] } }) }))).toEqual([
      "MODEL_UNKNOWN",
      "ROOT_UNKNOWN",
    ]);
  });

  test("of such a model, but under a root that the user has named besides", async () => {
    const empty = metadata({ payload: { entries: [] } });
    expect(codesOf(check(await enrolled(batch), { metadata: empty, roots: rootsOf(batch.root) }))).toEqual([]);
  });

  test("K5: with metadata that has expired, even under a root that the user has named", async () => {
    const old = metadata({}, NOW + 86_400);
    expect(codesOf(check(await enrolled(batch), { metadata: old }))).toEqual(["METADATA_EXPIRED", "ROOT_UNKNOWN"]);
    expect(codesOf(check(await enrolled(batch), { metadata: old, roots: rootsOf(batch.root) }))).toEqual([
      "METADATA_EXPIRED",
    ]);
  });

  test.each(["REVOKED", "ATTESTATION_KEY_COMPROMISE", "USER_KEY_PHYSICAL_COMPROMISE"])(
    "of a model reported as %s",
    async (status) => {
      const entries = [{ ...ENTRY, statusReports: [...ENTRY.statusReports, { status }] }];
      const verdict = check(await enrolled(batch), { metadata: metadata({ payload: { entries } }) });
      expect(codesOf(verdict)).toEqual(["MODEL_COMPROMISED"]);
      expect(verdict.reasons[0]?.message).toContain(status);
    },
  );

  test("a U2F key is found by its certificate's key; so is a certificate that is its own anchor", async () => {
    const leaf = parseCertificate(batch.certificate);
    if (leaf === undefined) throw new Error("no certificate");
    const entry = {
      attestationCertificateKeyIdentifiers: [keyIdentifier(leaf)],
      metadataStatement: { description: "old", attestationRootCertificates: [base64(batch.certificate)] },
    };
    const verdict = check(await enrolled(batch, { speaks: "u2f" }), {
      metadata: metadata({ payload: { entries: [entry] } }),
    });
    expect([codesOf(verdict), verdict.model?.name, verdict.path.length]).toEqual([[], "old", 1]);
  });

  test("roots of another model vouch for nobody but that model", async () => {
    const other = createBatchAttestation(AAGUID);
    const entries = [
      {
        ...ENTRY,
        metadataStatement: { ...ENTRY.metadataStatement, attestationRootCertificates: [base64(other.root), "AAAA"] },
      },
      { ...ENTRY, aaguid: dashed("11".repeat(16)) },
    ];
    expect(codesOf(check(await enrolled(batch), { metadata: metadata({ payload: { entries } }) }))).toEqual([
      "CERTIFICATE_FORGED",
    ]);
  });
});
