import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCertificate } from "../src/attestation/certificate.ts";
import {
  childrenOf,
  type Der,
  DerError,
  readBoolean,
  readDer,
  readOid,
  readSmallInteger,
  readText,
  readTime,
  TAG,
} from "../src/attestation/der.ts";
import { createAttestationRoot } from "../src/testing/index.ts";
import { fromHex } from "./kit.ts";

const der = (hex: string): Der => readDer(fromHex(hex));
const time = (tag: number, text: string): Der => ({ tag, content: Buffer.from(text), bytes: new Uint8Array() });

describe("X.690: DER alone is read", () => {
  test.each([
    ["nothing", ""],
    ["an end that comes too early", "0402aa"],
    ["a length that is not its shortest", "048101aa"],
    ["a length with a leading zero", `04820080${"aa".repeat(128)}`],
    ["an indefinite length", "308004010a0000"],
    ["a length of four bytes", "04840000000100"],
    ["a long tag", "1f8101"],
    ["two elements", "04010104 0102".replace(" ", "")],
  ])("not %s", (_, hex) => {
    expect(() => der(hex)).toThrow(DerError);
  });

  test("a list that is too long", () => {
    expect(() => childrenOf(der(`30820720${"0500".repeat(0x0390)}`), TAG.sequence)).toThrow(DerError);
    expect(() => childrenOf(der(`30820400${"0500".repeat(512)}`), TAG.sequence)).toThrow(DerError);
  });

  test("object identifiers", () => {
    expect(readOid(der("06032a0304"))).toBe("1.2.3.4");
    expect(readOid(der("060b2b0601040182e51c010104"))).toBe("1.3.6.1.4.1.45724.1.1.4");
    expect(readOid(der("0603550406"))).toBe("2.5.4.6");
    expect(readOid(der("06028837"))).toBe("2.999");
    for (const bad of ["0600", "060180", "06032a8004", "06082affffffffffff7f", "040103"])
      expect(() => readOid(der(bad)), bad).toThrow(DerError);
  });

  test("numbers and truth", () => {
    expect([der("020100"), der("02017f"), der("02020080"), der("02047fffffff")].map(readSmallInteger)).toEqual([
      0, 127, 128, 0x7fffffff,
    ]);
    for (const bad of ["0200", "0201ff", "0202007f", "02050100000000", "040101"])
      expect(() => readSmallInteger(der(bad)), bad).toThrow(DerError);
    expect([readBoolean(der("0101ff")), readBoolean(der("010100"))]).toEqual([true, false]);
    for (const bad of ["010101", "0100", "0201ff"]) expect(() => readBoolean(der(bad)), bad).toThrow(DerError);
  });

  test("text", () => {
    expect([readText(der("0c02c3a9")), readText(der("130141")), readText(der("1401e9"))]).toEqual(["é", "A", "é"]);
    for (const bad of ["0c01ff", "1e020041"]) expect(() => readText(der(bad)), bad).toThrow(DerError);
  });

  test("RFC 5280 section 4.1.2.5: times", () => {
    const seconds = (text: string): number => Date.parse(text) / 1000;
    expect(readTime(time(TAG.utcTime, "491231235959Z"))).toBe(seconds("2049-12-31T23:59:59Z"));
    expect(readTime(time(TAG.utcTime, "500101000000Z"))).toBe(seconds("1950-01-01T00:00:00Z"));
    expect(readTime(time(TAG.generalizedTime, "99991231235959Z"))).toBe(seconds("9999-12-31T23:59:59Z"));
    for (const bad of [
      "20261131000000Z",
      "20261301000000Z",
      "20261123240000Z",
      "20261123000000",
      "20261123000000+0100",
      "",
    ])
      expect(() => readTime(time(TAG.generalizedTime, bad)), bad).toThrow(DerError);
    expect(() => readTime(time(TAG.utf8, "20261123000000Z"))).toThrow(DerError);
  });
});

test("a certificate with a few changes is read or refused, never thrown", () => {
  const { der: bytes } = createAttestationRoot();
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(bytes.length), (at, change, end) => {
      const altered = bytes.slice();
      altered[at] = (altered[at] ?? 0) ^ change;
      parseCertificate(altered);
      parseCertificate(altered.subarray(0, end));
    }),
    { numRuns: 500, seed: 20_261_123 },
  );
});
