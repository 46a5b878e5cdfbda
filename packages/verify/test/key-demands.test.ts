import { encodeBase64, encodeUtf8, parseStatement, type Verdict } from "@touchmark/core";
import { heldKeyJudge } from "@touchmark/fido/attestation";
import {
  aaguidExtension,
  basicConstraints,
  type BatchAttestation,
  createAttestationRoot,
  createBatchAttestation,
  firmwareExtension,
  name,
} from "@touchmark/fido/testing";
import { encodeEvidence, nodeCrypto, parseEvidence } from "@touchmark/log";
import { beforeEach, describe, expect, test } from "vitest";
import { attestationOf } from "../../../test/support/attested.ts";
import { packageChecker } from "../src/evidence/check-package.ts";
import { openEvidence } from "../src/evidence/open-evidence.ts";
import { type ForgedLog, forgedLog } from "./support/forged-log.ts";
import { claimPayload, type Holder, releasePayload, signedBy } from "./support/people.ts";
import { alice, bob, carol, EARLIER, GOOD, NOW, policyOf, WIDGET } from "./support/widget.ts";

// [P-15] to [P-18], [V-30] to [V-34]: what a policy asks of keys, held against a log that admitted everything properly.

const MODEL = Buffer.from("2fc0579f811347eab116bb5a8db9202a", "hex"); // YubiKey 5 NFC, sold with firmware 5.2 and 5.4
const OTHER_MODEL = Buffer.from("00112233445566778899aabbccddeeff", "hex");
const YEAR = 365 * 86_400;
const maker = createBatchAttestation(MODEL);
const otherRoot = createAttestationRoot({
  subject: name({ country: "ZZ", organisation: "Another maker", commonName: "Another root" }),
});
const otherMaker = { ...createBatchAttestation(OTHER_MODEL, { issuer: otherRoot }), root: otherRoot.der };
const UP = 0x01;
const [UV, BE, BS] = [0x04, 0x08, 0x10];

type Kept = { format: string; object: string } | undefined;
let log: ForgedLog;
let digest: string;

beforeEach(() => {
  log = forgedLog();
});

/** Logs the claim of alice, bob and carol, two of whom must sign, with what was kept of their keys. */
function claim(kept: [Kept, Kept, Kept], flags = UP): void {
  const holders = [alice, bob, carol];
  const keys = holders.map(({ holder, record }, i) => ({
    holder,
    record,
    ...(kept[i] === undefined ? {} : { attestation: kept[i] }),
  }));
  const payload = claimPayload({
    packages: [WIDGET],
    authority: { keys, releaseThreshold: 2 },
    earlier: EARLIER[WIDGET]!.all,
  });
  log.append(
    signedWith(
      payload,
      holders.map((one) => [one, flags] as const),
    ),
    NOW - 100,
  );
  const statement = parseStatement(nodeCrypto, payload);
  digest = statement.kind === "claim" ? statement.authority.digest : "";
}

function release(...signers: (readonly [Holder, number])[]): void {
  log.append(signedWith(releasePayload(`${WIDGET}@1.0.0`, GOOD), signers), NOW - 50);
}

function signedWith(payload: Uint8Array, signers: (readonly [Holder, number])[]) {
  return signedBy(
    payload,
    signers.map(([one, flags]) => ({
      ...one,
      sign: (crypto, bytes) => one.sign(crypto, bytes, { flags }),
    })),
  );
}

function check(
  keys: object,
  { roots = [], judge = true, version = "1.0.0", more = {} }: Partial<CheckOptions> = {},
): Verdict {
  const named = roots.length === 0 ? {} : { attestationRoots: roots.map((der) => encodeBase64(der)) };
  const trusted = policyOf(log, { widget: { authority: digest, keys } }, { ...named, ...more });
  if (judge) trusted.judgeAttestation = heldKeyJudge(nodeCrypto, trusted.attestationRoots);
  const bundle = log.evidence([WIDGET], version === "1.0.0" ? {} : EARLIER);
  const opened = openEvidence(parseEvidence(encodeUtf8(encodeEvidence(bundle))), trusted.log.key);
  const sha512 = version === "1.0.0" ? GOOD : EARLIER[WIDGET]!.all[0]![1];
  return packageChecker(trusted, new Map(), opened).check({ packageId: WIDGET, version, sha512 });
}

interface CheckOptions {
  roots: Uint8Array[];
  judge: boolean;
  version: string;
  more: object;
}

/** As certificates write it. */
function timeOf(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().replaceAll(/[-:T]|\.\d+Z$/g, "")}Z`;
}

const codes = ({ status, reasons }: Verdict): string[] => [
  status,
  ...reasons.map(({ code, step }) => `${code} ${step}`),
];

function expectOneCounted(verdict: Verdict, holder: string, code: string): void {
  expect(codes(verdict)).toEqual(["rejected", "THRESHOLD V-30", `${code} V-34`]);
  expect(verdict.reasons[0]!.message).toContain("1 of 2 holders");
  expect(verdict.reasons[1]!.message).toMatch(
    new RegExp(`^The signature of ${holder} by SHA256:\\S+ is not counted: .+\\.$`),
  );
}

describe("flags of each signature [P-15], [V-30]", () => {
  test("one without PIN or fingerprint isn't counted", () => {
    claim([undefined, undefined, undefined]);
    release([alice, UP | UV], [bob, UP]);
    expectOneCounted(check({ userVerification: true }), "bob", "KEY_NOT_VERIFIED");
    expect(check({ userVerification: false }).status).toBe("accepted");
  });

  test("one by a passkey that can be copied isn't counted", () => {
    claim([undefined, undefined, undefined]);
    release([alice, UP | BE | BS], [bob, UP]);
    expectOneCounted(check({ deviceBound: true }), "alice", "KEY_COPYABLE");
    expect(check({}).status).toBe("accepted");
  });

  test("with a third signature enough are left, and only those who count are named", () => {
    claim([undefined, undefined, undefined]);
    release([alice, UP | UV], [bob, UP], [carol, UP | UV]);
    const verdict = check({ userVerification: true });
    expect(verdict).toMatchObject({ status: "accepted", basis: "release", signers: ["alice", "carol"], reasons: [] });
  });

  test("[V-32] earlier versions rest on the claim's own signatures", () => {
    claim([undefined, undefined, undefined], UP);
    expect(codes(check({ userVerification: true }, { version: "0.9.0" }))).toEqual([
      "rejected",
      "THRESHOLD V-30",
      ...Array.from({ length: 3 }, () => "KEY_NOT_VERIFIED V-34"),
    ]);
    expect(check({ deviceBound: true }, { version: "0.9.0" })).toMatchObject({ status: "accepted", basis: "earlier" });
  });

  test("[V-34] an exception is for what nobody signed, not for keys that won't do", () => {
    claim([undefined, undefined, undefined]);
    release([alice, UP], [bob, UP]);
    const until = new Date((NOW + 86_400) * 1000).toISOString().slice(0, 10);
    const exceptions = [{ package: `${WIDGET}@1.0.0`, reason: "in a hurry", author: "dora", until }];
    expect(check({ userVerification: true }, { more: { exceptions } }).status).toBe("rejected");
  });
});

describe("attested hardware [K-20] to [K-22], [V-31]", () => {
  const good = (one: Holder): Kept => attestationOf(one, maker, MODEL);
  const roots = [maker.root];
  const both = (bobs: Kept): void => {
    claim([good(alice), bobs, undefined]);
    release([alice, UP], [bob, UP]);
  };
  const other = (changes: Parameters<typeof createBatchAttestation>[1]): BatchAttestation => {
    const issuer = createAttestationRoot();
    return { ...createBatchAttestation(MODEL, { ...changes, issuer }), root: issuer.der };
  };

  test("two keys of a maker whom the policy names are counted", () => {
    both(good(bob));
    expect(check({ attested: true }, { roots })).toMatchObject({ status: "accepted", signers: ["alice", "bob"] });
  });

  test("nothing kept; a maker whom the policy doesn't name: each its own reason", () => {
    both(undefined);
    expectOneCounted(check({ attested: true }, { roots }), "bob", "KEY_NOT_ATTESTED");
    log = forgedLog();
    both(attestationOf(bob, otherMaker, OTHER_MODEL));
    expectOneCounted(check({ attested: true }, { roots }), "bob", "KEY_ROOT_UNKNOWN");
    expect(check({ attested: true }, { roots: [maker.root, otherMaker.root] }).status).toBe("accepted");
  });

  test("expired when the claim was logged; one that expires later takes nothing back", () => {
    const expired = other({ notBefore: timeOf(NOW - 2 * YEAR), notAfter: timeOf(NOW - YEAR) });
    both(attestationOf(bob, expired, MODEL));
    expectOneCounted(check({ attested: true }, { roots: [...roots, expired.root] }), "bob", "KEY_ATTESTATION_EXPIRED");
    const soon = other({ notBefore: timeOf(NOW - YEAR), notAfter: timeOf(NOW - 99) });
    log = forgedLog();
    both(attestationOf(bob, soon, MODEL));
    expect(check({ attested: true }, { roots: [...roots, soon.root] }).status).toBe("accepted");
  });

  test("forged: another's attestation, a batch key that isn't the certificate's", () => {
    both(good(carol));
    const verdict = check({ attested: true }, { roots });
    expect(verdict.reasons.map(({ code }) => code)).toContain("KEY_ATTESTATION_FORGED");
    expect(verdict.status).toBe("rejected");
    log = forgedLog();
    both(attestationOf(bob, { ...maker, sign: (message) => otherMaker.sign(message) }, MODEL));
    expectOneCounted(check({ attested: true }, { roots }), "bob", "KEY_ATTESTATION_FORGED");
  });

  test("a key that names another model than its certificate", () => {
    both(attestationOf(bob, maker, OTHER_MODEL));
    expectOneCounted(check({ attested: true }, { roots }), "bob", "KEY_MODEL_MISMATCH");
  });

  test("[V-33] nobody there to judge: unchecked, never accepted", () => {
    both(good(bob));
    expect(codes(check({ attested: true }, { roots, judge: false }))).toEqual(["unchecked", "KEY_UNCHECKED V-33"]);
    expect(check({ userVerification: false }, { roots, judge: false }).status).toBe("accepted");
  });

  test("[P-17] a forbidden model, and one that nothing signed names", () => {
    claim([attestationOf(alice, otherMaker, OTHER_MODEL), good(bob), undefined]);
    release([alice, UP], [bob, UP]);
    const named = { roots: [maker.root, otherMaker.root] };
    const forbidModels = ["2fc0579f-8113-47ea-b116-bb5a8db9202a"];
    expectOneCounted(check({ forbidModels }, named), "bob", "KEY_MODEL_FORBIDDEN");
    expect(check({ forbidModels: ["0".repeat(32)] }, named).status).toBe("accepted");
    log = forgedLog();
    both(undefined);
    expectOneCounted(check({ forbidModels: ["0".repeat(32)] }, named), "bob", "KEY_NOT_ATTESTED");
  });

  test("[P-18], [K-23] firmware by the certificate, else by the model; what may be too old isn't counted", () => {
    const issuer = createAttestationRoot();
    const withFirmware = (version: string): BatchAttestation =>
      createBatchAttestation(MODEL, {
        issuer,
        extensions: [basicConstraints(false), aaguidExtension(MODEL), firmwareExtension(version)],
      });
    claim([
      attestationOf(alice, withFirmware("5.7.1"), MODEL),
      attestationOf(bob, withFirmware("5.4.3"), MODEL),
      good(carol),
    ]);
    release([alice, UP], [bob, UP]);
    const named = { roots: [issuer.der, maker.root] };
    const asks = (least: string): Verdict => check({ forbidFirmwareBelow: { yubico: least } }, named);
    expectOneCounted(asks("5.7.0"), "bob", "KEY_FIRMWARE_FORBIDDEN");
    expect(asks("5.4.3").status).toBe("accepted");
    expect(asks("5.4.4").status).toBe("rejected");
    log = forgedLog();
    both(good(bob));
    // Sold with 5.2 and 5.4, and nobody knows which: 5.2 may be 5.2.0.
    expect(check({ forbidFirmwareBelow: { yubico: "5.2.0" } }, { roots }).status).toBe("accepted");
    expect(check({ forbidFirmwareBelow: { yubico: "5.2.1" } }, { roots }).status).toBe("rejected");
  });
});

describe("what a policy can't say [P-15] to [P-18]", () => {
  const root = encodeBase64(maker.root);
  test.each<[string, object, object, RegExp]>([
    ["an unknown demand", { atested: true }, {}, /keys has the unknown key "atested"/],
    ["no yes or no", { deviceBound: "yes" }, {}, /keys\.deviceBound is neither true nor false/],
    ["attested by nobody", { attested: true }, {}, /attestationRoots names nobody/],
    ["models by nobody", { forbidModels: ["0".repeat(32)] }, {}, /attestationRoots names nobody/],
    ["no AAGUID", { forbidModels: ["YubiKey"] }, { attestationRoots: [root] }, /forbidModels is not a list/],
    ["no models", { forbidModels: [] }, { attestationRoots: [root] }, /forbidModels is not a list/],
    [
      "no such maker",
      { forbidFirmwareBelow: { acme: "1.0.0" } },
      { attestationRoots: [root] },
      /"acme", whose firmware/,
    ],
    ["no version", { forbidFirmwareBelow: { yubico: "5.7" } }, { attestationRoots: [root] }, /not three numbers/],
    ["no maker", { forbidFirmwareBelow: {} }, { attestationRoots: [root] }, /names no maker/],
    ["no certificate", { attested: true }, { attestationRoots: ["AAAA"] }, /not base64 of a certificate/],
    ["no certificates", { attested: true }, { attestationRoots: [] }, /not a list of 1 to 32/],
  ])("%s", (_name, keys, more, message) => {
    expect(() => policyOf(log, { widget: { keys } }, more)).toThrow(message);
  });

  test("roots that are DER but no certificates are refused before anything is judged", () => {
    const trusted = policyOf(log, { widget: { keys: { attested: true } } }, { attestationRoots: ["MAA="] });
    expect(() => heldKeyJudge(nodeCrypto, trusted.attestationRoots)).toThrow(/Number 1 .* is no certificate/);
  });
});
