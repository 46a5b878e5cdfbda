// K5: what is believed of an attestation. Everything that is wrong has its own reason, and nothing is believed without a root.
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enrolmentHash } from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import { describe, expect, test } from "vitest";
import { type EnrolledKey, readRoots } from "../src/index.ts";
import { parseCertificate } from "../src/attestation/certificate.ts";
import { cborMap, encodeCbor } from "../src/cbor/canonical.ts";
import { encodeAttestationObject, parseAttestationObject } from "../src/ctap2/attestation.ts";
import {
  aaguidExtension,
  basicConstraints,
  type CertificateWish,
  createAttestationRoot,
  createBatchAttestation,
  extension,
  firmwareExtension,
  issueCertificate,
  name,
  octetString,
} from "../src/testing/index.ts";
import { AAGUID, check, codesOf, enrolled, HOLDER, NOW, pointOf, rootsOf } from "./attestation-kit.ts";
import { enroll, expectCode, fromHex, plugged, random, toHex } from "./kit.ts";

const batch = createBatchAttestation(AAGUID);
const roots = rootsOf(batch.root);

describe("an attestation that is believed", () => {
  test.each([
    ["packed, ES256", {}, -7],
    ["packed, Ed25519", {}, -8],
    ["fido-u2f", { speaks: "u2f" }, -7],
  ] as const)("%s", async (_, model, algorithm) => {
    const verdict = check(await enrolled(batch, model, algorithm), { roots });
    expect(codesOf(verdict)).toEqual([]);
    expect(verdict).toMatchObject({ aaguid: toHex(AAGUID), firmware: undefined, advisories: [], model: undefined });
    expect(verdict.path).toEqual([
      "Touchmark software authenticator, NOT hardware",
      "Touchmark test root, NOT hardware",
    ]);
  });

  test("[K-15] the hash binds the holder", () => {
    expect(toHex(enrolmentHash(nobleCrypto, "alice"))).toBe(
      "a3071be1f2d35427cf85f35808507407af03ff51378f388dfa0b6bd11465e9be",
    );
  });

  test("through certificates between the batch and the root, from the key or from beside the root", async () => {
    const root = createAttestationRoot();
    const middle = issueCertificate({
      subject: name({ commonName: "middle" }),
      issuer: root,
      extensions: [basicConstraints(true, 0)],
    });
    const between = createBatchAttestation(AAGUID, {}, [root, middle]);
    expect(codesOf(check(await enrolled(between), { roots: rootsOf(root.der) }))).toEqual([]);
    const bare = { ...between, intermediates: [] };
    expect(codesOf(check(await enrolled(bare), { roots: rootsOf(root.der) }))).toEqual(["ROOT_UNKNOWN"]);
    expect(codesOf(check(await enrolled(bare), { roots: rootsOf(root.der, middle.der) }))).toEqual([]);
    // What lies beside the roots is believed by nobody for its own sake.
    expect(codesOf(check(await enrolled(bare), { roots: rootsOf(middle.der) }))).toEqual(["ROOT_UNKNOWN"]);
  });
});

describe("an attestation that is not", () => {
  test("for nobody has named a root", async () => {
    expect(codesOf(check(await enrolled(batch)))).toEqual(["NO_ROOTS"]);
  });

  test("for an unknown root", async () => {
    const other = rootsOf(createAttestationRoot({ subject: name({ commonName: "another" }) }).der);
    expect(codesOf(check(await enrolled(batch), { roots: other }))).toEqual(["ROOT_UNKNOWN"]);
  });

  test("for a root of the same name", async () => {
    const impostor = rootsOf(createAttestationRoot().der);
    expect(codesOf(check(await enrolled(batch), { roots: impostor }))).toEqual(["CERTIFICATE_FORGED"]);
  });

  test("for another holder, another key, another application, another format", async () => {
    const key = await enrolled(batch);
    expect(codesOf(check(key, { roots, clientDataHash: enrolmentHash(nobleCrypto, "eve") }))).toEqual([
      "STATEMENT_FORGED",
    ]);
    const { publicKey } = await enrolled(batch);
    expect(
      codesOf(check(key, { roots, key: { publicKey: pointOf(publicKey), application: "ssh:touchmark" } })),
    ).toEqual(["OTHER_KEY"]);
    const own = pointOf(key.publicKey);
    expect(codesOf(check(key, { roots, key: { publicKey: own, application: "ssh:" } }))).toEqual(["OTHER_APPLICATION"]);
    const attestation = { format: "fido-u2f", object: key.attestationObject };
    expect(codesOf(check(key, { roots, attestation }))).toEqual(["MALFORMED"]);
  });

  test("for U2F: another holder, another key", async () => {
    const key = await enrolled(batch, { speaks: "u2f" });
    expect(codesOf(check(key, { roots, clientDataHash: enrolmentHash(nobleCrypto, "eve") }))).toEqual([
      "STATEMENT_FORGED",
    ]);
    const { publicKey } = await enrolled(batch);
    const other = { publicKey: pointOf(publicKey), application: "ssh:touchmark" };
    expect(codesOf(check(key, { roots, key: other }))).toEqual(["OTHER_KEY"]);
  });

  test.each([
    ["self", "SELF_ATTESTED"],
    ["none", "NOT_ATTESTED"],
  ] as const)("%s", async (attestation, code) => {
    const { device } = await plugged({ model: { attestation } });
    const key = await enroll(device, { clientDataHash: enrolmentHash(nobleCrypto, HOLDER) });
    expect(codesOf(check(key, { roots }))).toEqual([code]);
  });

  test("self, for another holder", async () => {
    const { device } = await plugged();
    expect(codesOf(check(await enroll(device), { roots }))).toEqual(["STATEMENT_FORGED"]);
  });

  test.each<readonly [string, Partial<CertificateWish>, readonly string[]]>([
    ["expired", { notAfter: "20261122000000Z" }, ["CERTIFICATE_EXPIRED"]],
    ["not valid yet", { notBefore: "20261124000000Z" }, ["CERTIFICATE_NOT_YET_VALID"]],
    ["forged", { isForged: true }, ["CERTIFICATE_FORGED"]],
    ["signed in a way that can be forged", { isWeak: true }, ["CERTIFICATE_UNFIT"]],
    ["of another model", { extensions: [basicConstraints(false), aaguidExtension(random(16))] }, ["AAGUID_MISMATCH"]],
    ["that may issue others", { extensions: [basicConstraints(true)] }, ["CERTIFICATE_UNFIT"]],
    ["that says nothing of issuing", { extensions: [aaguidExtension(AAGUID)] }, ["CERTIFICATE_UNFIT"]],
    [
      "with a critical extension that nobody knows",
      { extensions: [basicConstraints(false), extension("2a0304", octetString(random(1)), true)] },
      ["CERTIFICATE_UNFIT"],
    ],
    [
      "with a broken AAGUID",
      { extensions: [basicConstraints(false), extension("2b0601040182e51c010104", random(3))] },
      ["CERTIFICATE_MALFORMED"],
    ],
    [
      "for something else",
      { subject: name({ country: "ZZ", organisation: "x", unit: "Mail", commonName: "x" }) },
      ["CERTIFICATE_UNFIT"],
    ],
    [
      "without country, maker, purpose and name",
      { subject: name({}) },
      ["CERTIFICATE_UNFIT", "CERTIFICATE_UNFIT", "CERTIFICATE_UNFIT", "CERTIFICATE_UNFIT"],
    ],
    [
      "expired, and of another model",
      { notAfter: "20261122000000Z", extensions: [basicConstraints(false), aaguidExtension(random(16))] },
      ["AAGUID_MISMATCH", "CERTIFICATE_EXPIRED"],
    ],
  ])("a certificate %s", async (_, changes, codes) => {
    const root = createAttestationRoot();
    const odd = createBatchAttestation(AAGUID, changes, [root]);
    expect(codesOf(check(await enrolled(odd), { roots: rootsOf(root.der) }))).toEqual(codes);
  });

  test("a root that has expired, one that may not issue, a chain that is too long", async () => {
    const old = createAttestationRoot({ notAfter: "20261122000000Z" });
    const issued = await enrolled(createBatchAttestation(AAGUID, {}, [old]));
    expect(codesOf(check(issued, { roots: rootsOf(old.der) }))).toEqual(["CERTIFICATE_EXPIRED"]);
    expect(codesOf(check(issued, { roots: rootsOf(old.der), time: NOW - 86_400 * 2 }))).toEqual([]);

    const powerless = createAttestationRoot({ extensions: [basicConstraints(false)] });
    const bad = await enrolled(createBatchAttestation(AAGUID, {}, [powerless]));
    const anchor = parseCertificate(powerless.der);
    const forced = { anchors: anchor === undefined ? [] : [anchor], intermediates: [] };
    expect(codesOf(check(bad, { roots: forced }))).toEqual(["CERTIFICATE_UNFIT"]);

    const short = createAttestationRoot({ extensions: [basicConstraints(true, 0)] });
    const middle = issueCertificate({
      subject: name({ commonName: "m" }),
      issuer: short,
      extensions: [basicConstraints(true)],
    });
    const long = await enrolled(createBatchAttestation(AAGUID, {}, [short, middle]));
    expect(codesOf(check(long, { roots: rootsOf(short.der) }))).toEqual(["CERTIFICATE_UNFIT"]);
  });

  test("certificates that have all signed one another are given up in bounded time", async () => {
    const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const subject = name({ commonName: "me" });
    const twins = Array.from({ length: 20 }, (_, serial) =>
      issueCertificate({ subject, keys, serial, extensions: [basicConstraints(true)] }),
    );
    const [first] = twins;
    if (first === undefined) throw new Error("none");
    const odd = await enrolled(createBatchAttestation(AAGUID, {}, [first]));
    const intermediates = twins.flatMap(({ der }) => parseCertificate(der) ?? []);
    const start = performance.now();
    expect(codesOf(check(odd, { roots: { anchors: roots.anchors, intermediates } }))).toEqual(["ROOT_UNKNOWN"]);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test("a certificate with a key that is too short, or of a kind that U2F does not know", async () => {
    const root = createAttestationRoot();
    const short = createBatchAttestation(AAGUID, { keys: generateKeyPairSync("rsa", { modulusLength: 1024 }) }, [root]);
    expect(codesOf(check(await enrolled(short), { roots: rootsOf(root.der) }))).toEqual([
      "STATEMENT_FORGED",
      "CERTIFICATE_UNFIT",
    ]);
    const other = createBatchAttestation(AAGUID, { keys: generateKeyPairSync("ec", { namedCurve: "secp256k1" }) }, [
      root,
    ]);
    const key = await enrolled(other, { speaks: "u2f" });
    expect(codesOf(check(key, { roots: rootsOf(root.der) }))).toEqual(["CERTIFICATE_UNFIT"]);
  });

  test("authenticator data that was changed: another model, no touch", async () => {
    const change = (key: EnrolledKey, at: number, value: number): EnrolledKey => {
      const { fmt, attStmt, authDataBytes } = parseAttestationObject(key.attestationObject);
      const changed = authDataBytes.slice();
      changed[at] = value;
      return { ...key, attestationObject: encodeAttestationObject(fmt, attStmt, changed) };
    };
    const old = await enrolled(batch, { speaks: "u2f" });
    // No signature covers a U2F key's AAGUID: the certificate alone is asked.
    expect(codesOf(check(change(old, 37, 7), { roots }))).toEqual(["AAGUID_MISMATCH"]);
    const key = await enrolled(batch);
    expect(codesOf(check(change(key, 37, 7), { roots }))).toEqual(["STATEMENT_FORGED", "AAGUID_MISMATCH"]);
    expect(codesOf(check(change(key, 32, 0x40), { roots }))).toEqual(["NOT_TOUCHED", "STATEMENT_FORGED"]);
  });
});

describe("statements of another form", () => {
  async function altered(
    statement: (parts: Map<string, unknown>) => readonly (readonly [string, unknown])[],
  ): Promise<string[]> {
    const key = await enrolled(batch);
    return codesOf(check(rewrite(key, statement), { roots }));
  }

  function rewrite(
    key: EnrolledKey,
    change: (parts: Map<string, unknown>) => readonly (readonly [string, unknown])[],
    fmt = key.fmt,
  ): EnrolledKey {
    const { authDataBytes, attStmt } = parseAttestationObject(key.attestationObject);
    const parts = decode(attStmt);
    const entries = change(parts) as [string, Uint8Array][];
    return {
      ...key,
      fmt,
      attestationObject: encodeAttestationObject(fmt, encodeCbor(cborMap(...entries)), authDataBytes),
    };
  }

  function decode(attStmt: Uint8Array): Map<string, unknown> {
    // {alg, sig, x5c} as the software authenticator gives it.
    const { x5c, sig } = { x5c: [batch.certificate], sig: attStmt.subarray(attStmt.indexOf(0x30)) };
    const length = 2 + (sig[1] ?? 0);
    return new Map<string, unknown>([
      ["alg", -7],
      ["sig", new Uint8Array(sig.subarray(0, length))],
      ["x5c", x5c],
    ]);
  }

  test.each<readonly [string, Parameters<typeof altered>[0], string]>([
    ["as it was", (parts) => [...parts], ""],
    ["without a signature", (parts) => [...parts].filter(([key]) => key !== "sig"), "MALFORMED"],
    ["with a member more", (parts) => [...parts, ["ecdaaKeyId", random(3)]], "MALFORMED"],
    ["with certificates that are none", (parts) => [...parts.set("x5c", [random(40)])], "CERTIFICATE_MALFORMED"],
    ["with no certificates", (parts) => [...parts.set("x5c", [])], "CERTIFICATE_MALFORMED"],
    ["with text for a certificate", (parts) => [...parts.set("x5c", ["x"])], "CERTIFICATE_MALFORMED"],
    [
      "with too many of them",
      (parts) => [...parts.set("x5c", Array(9).fill(batch.certificate))],
      "CERTIFICATE_MALFORMED",
    ],
    [
      "with bytes after one",
      (parts) => [...parts.set("x5c", [fromHex(`${toHex(batch.certificate)}00`)])],
      "CERTIFICATE_MALFORMED",
    ],
    ["with an unknown algorithm", (parts) => [...parts.set("alg", -65535)], "ALGORITHM_UNSUPPORTED"],
    ["with another key's algorithm", (parts) => [...parts.set("alg", -257)], "STATEMENT_FORGED"],
    ["with another signature", (parts) => [...parts.set("sig", random(70))], "STATEMENT_FORGED"],
  ])("%s", async (_, change, code) => {
    expect(await altered(change)).toEqual(code === "" ? [] : [code]);
  });

  test("fido-u2f has exactly one certificate, and `none` nothing", async () => {
    const key = await enrolled(batch);
    const codes = (fmt: string, change: Parameters<typeof altered>[0]): string[] =>
      codesOf(check(rewrite(key, change, fmt), { roots }));
    const only = (parts: Map<string, unknown>): [string, unknown][] => [
      ["sig", parts.get("sig")],
      ["x5c", parts.get("x5c")],
    ];
    expect(codes("fido-u2f", only)).toEqual(["STATEMENT_FORGED"]);
    expect(codes("fido-u2f", (parts) => only(parts.set("x5c", [batch.certificate, batch.root])))).toEqual([
      "CERTIFICATE_MALFORMED",
    ]);
    expect(codes("fido-u2f", (parts) => [...parts])).toEqual(["MALFORMED"]);
    expect(codes("none", (parts) => [...parts])).toEqual(["MALFORMED"]);
    expect(codes("tpm", (parts) => [...parts])).toEqual(["FORMAT_UNKNOWN"]);
  });
});

describe("firmware, and what is known against it", () => {
  const FIPS = fromHex("c1f9a0bc1dd2404ab27f8e29047a43fd");
  const NEW = fromHex("a25342c03cdc44148e46f4807fca511c");

  test.each([
    ["the certificate, before all else", FIPS, "5.4.3", 0x050700, { text: "5.4.3", source: "certificate" }, "affected"],
    ["the certificate of a newer one", FIPS, "5.7.0", undefined, { text: "5.7.0", source: "certificate" }, ""],
    ["getInfo, if the certificate is silent", FIPS, "", 0x050604, { text: "5.6.4", source: "getInfo" }, "affected"],
    ["getInfo of a newer one", FIPS, "", 0x050704, { text: "5.7.4", source: "getInfo" }, ""],
    ["the AAGUID, if both are", FIPS, "", undefined, { text: "5.4", source: "aaguid" }, "affected"],
    ["the AAGUID of a newer one", NEW, "", undefined, { text: "5.7", source: "aaguid" }, ""],
    ["nothing: possible", random(16), " ", undefined, undefined, "possible"],
  ] as const)("by %s", async (_, aaguid, certified, firmwareVersion, firmware, certainty) => {
    const extensions = [basicConstraints(false), aaguidExtension(aaguid)];
    if (certified !== "") extensions.push(firmwareExtension(certified));
    const root = createAttestationRoot();
    const yubico = createBatchAttestation(aaguid, { extensions }, [root]);
    const model = { aaguid, algorithms: [-7, -8] } as const;
    const verdict = check(await enrolled(yubico, model), { roots: rootsOf(root.der), firmwareVersion });
    expect(codesOf(verdict)).toEqual([]);
    if (firmware === undefined) expect(verdict.firmware).toBeUndefined();
    else expect(verdict.firmware).toMatchObject(firmware);
    const findings = verdict.advisories.map((one) => [one.id, one.name, one.certainty]);
    expect(findings).toEqual(certainty === "" ? [] : [["CVE-2024-45678", "EUCLEAK", certainty]]);
    // Ed25519 is not concerned.
    const ed25519 = await enrolled(yubico, model, -8);
    expect(check(ed25519, { roots: rootsOf(root.der), firmwareVersion }).advisories).toEqual([]);
  });

  test("other makers' numbers are not read as Yubico's", async () => {
    const verdict = check(await enrolled(batch), { roots, firmwareVersion: 0x050100 });
    expect([verdict.firmware, verdict.advisories]).toEqual([undefined, []]);
  });
});

describe("roots from files", () => {
  const pem = (der: Uint8Array): string =>
    `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`;

  test("a file, a folder; what is no root, or no certificate, is refused", async () => {
    const folder = await mkdtemp(join(tmpdir(), "touchmark-roots-"));
    try {
      await expectCode(readRoots(folder), "BAD_ROOTS");
      await expectCode(readRoots(join(folder, "missing")), "BAD_ROOTS");
      await writeFile(join(folder, "a.pem"), `A text before it.\n${pem(batch.root)}`);
      await writeFile(join(folder, "b.CRT"), pem(batch.certificate));
      await writeFile(join(folder, "notes.txt"), "not read");
      const read = await readRoots(folder);
      expect([read.anchors.length, read.intermediates.length]).toEqual([1, 1]);
      expect(codesOf(check(await enrolled(batch), { roots: await readRoots(join(folder, "a.pem")) }))).toEqual([]);
      await expectCode(readRoots(join(folder, "b.CRT")), "BAD_ROOTS");
      for (const text of [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n",
        `${pem(batch.root)}-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n`,
        "x".repeat(1024 * 1024 + 1),
      ]) {
        await writeFile(join(folder, "bad.pem"), text);
        await expectCode(readRoots(folder), "BAD_ROOTS");
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
