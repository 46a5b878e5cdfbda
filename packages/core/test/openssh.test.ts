import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeArmoredSignature,
  encodeSshSignature,
  encodeUtf8,
  envelopeSignedBytes,
  parseEnvelope,
  parseSshSignature,
  parseArmoredSignature,
  preAuthEncoding,
  SK_ECDSA,
  SK_ED25519,
  verifySshSignature,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import type { StatementCase } from "./make-vectors/statements.ts";
import {
  hasDummyProvider,
  hasSshKeygen,
  type OpensshCase,
  signWithDummyKeys,
  verifyWithSshKeygen,
} from "./support/openssh.ts";
import { refusalOf } from "./support/refusal.ts";
import { makeSoftKey } from "./support/soft-key.ts";
import { readPublicVector, readVectors } from "./support/vectors.ts";

const recorded = readVectors<OpensshCase>("openssh.json");
const PAYLOAD = '{"_type":"https://in-toto.io/Statement/v1"}';
const NO_DEMANDS = { userVerification: false, deviceBound: false };
const kinds = [
  { kind: "sk-ssh-ed25519", key: makeSoftKey({ type: SK_ED25519 }) },
  { kind: "sk-ecdsa-sha2-nistp256", key: makeSoftKey({ type: SK_ECDSA }) },
  {
    kind: "webauthn-sk-ecdsa-sha2-nistp256",
    key: makeSoftKey({ type: SK_ECDSA, application: "team.example", origin: "https://gate.team.example" }),
  },
];

describe.skipIf(!hasSshKeygen() && process.env["CI"] === undefined)("ssh-keygen -Y verify (wants ssh-keygen)", () => {
  test.each(kinds)("$kind: accepted, and refused when the statement is another", ({ key }) => {
    const { sig } = key.sign(nobleCrypto, encodeUtf8(PAYLOAD), { flags: 0x05, counter: 42 });
    const message = preAuthEncoding(encodeUtf8(PAYLOAD));
    expect(verifyWithSshKeygen(key.record, message, sig).output).toContain('Good "touchmark" signature');
    expect(verifyWithSshKeygen(key.record, message, sig).accepted).toBe(true);
    expect(verifyWithSshKeygen(key.record, encodeUtf8(PAYLOAD), sig).accepted).toBe(false);
    expect(verifyWithSshKeygen(key.record, preAuthEncoding(encodeUtf8(`${PAYLOAD} `)), sig).accepted).toBe(false);
  });

  test.each(kinds)("$kind: refused when counter or key is another", ({ key }) => {
    const message = preAuthEncoding(encodeUtf8(PAYLOAD));
    const signature = parseSshSignature(key.sign(nobleCrypto, encodeUtf8(PAYLOAD)).sig);
    const tampered = encodeSshSignature({ ...signature, counter: 2 });
    expect(verifyWithSshKeygen(key.record, message, tampered).accepted).toBe(false);
    const stranger = makeSoftKey({ type: key.key.type, application: key.key.application });
    expect(verifyWithSshKeygen(stranger.record, message, encodeSshSignature(signature)).accepted).toBe(false);
  });

  test("every signature of the recorded claims and releases: accepted", () => {
    const good = readVectors<StatementCase>("statements.json").filter(
      ({ error, rule }) => error === null && rule === "S-22",
    );
    const signatures = good.flatMap(({ envelope }) => {
      const { payload, signatures: made } = parseEnvelope(encodeUtf8(envelope));
      return made.map(({ sig }) => ({ payload, sig }));
    });
    for (const { payload, sig } of signatures) {
      const { record } = parseSshSignature(sig).key;
      expect(verifyWithSshKeygen(record, preAuthEncoding(payload), sig).accepted).toBe(true);
    }
    expect(signatures.length).toBeGreaterThan(5);
  });
});

describe("signatures made by OpenSSH with a key's provider", () => {
  const live = hasDummyProvider() ? signWithDummyKeys(PAYLOAD) : [];

  test.each([...recorded, ...live])("$name: parsed, verified, and written as it was", (one) => {
    const blob = dearmor(one.signature);
    const signature = parseSshSignature(blob);
    expect(signature.key.record).toBe(one.record);
    expect(signature.key.application).toBe("ssh:touchmark");
    expect(encodeSshSignature(signature)).toEqual(blob);
    expect(encodeArmoredSignature(blob)).toBe(one.signature);
    expect(parseArmoredSignature(encodeUtf8(one.signature))).toEqual(blob);
    const tbs = envelopeSignedBytes(nobleCrypto, encodeUtf8(one.payload));
    verifySshSignature(nobleCrypto, signature, tbs, { userVerification: false, deviceBound: true });
    const other = envelopeSignedBytes(nobleCrypto, encodeUtf8(`${one.payload} `));
    expect(refusalOf(() => verifySshSignature(nobleCrypto, signature, other, NO_DEMANDS))).toEqual({
      code: "BAD_SIGNATURE",
      rule: "K-8",
    });
  });

  const files = ["ed25519_sk", "ecdsa_sk", "ecdsa_sk_webauthn", "msg_ed25519-sk", "msg_ecdsa-sk"];
  const found = files.flatMap((name) => {
    const armored = readPublicVector(`sshsig/${name}.sig`);
    return armored === null ? [] : [{ name, armored }];
  });

  for (const { name, armored } of found) {
    const isMessage = name.startsWith("msg_");
    const namespace = isMessage ? "npm-release" : "unittest";

    test(`OpenSSH's own ${name}: refused for its namespace [K-6], good without it`, () => {
      const blob = dearmor(armored);
      expect(refusalOf(() => parseSshSignature(blob))).toEqual({ code: "MALFORMED", rule: "K-6" });
      // The namespace of the blob is not signed, that of tbs is: so the rest can be checked under another name.
      const signature = parseSshSignature(renamed(blob, namespace));
      const message = readPublicVector(isMessage ? `sshsig/${name}` : "sshsig/signed-data")!;
      const tbs = Buffer.concat([
        Buffer.from("SSHSIG"),
        ...[namespace, "", "sha512", nobleCrypto.sha512(encodeUtf8(message))].map(sshString),
      ]);
      verifySshSignature(nobleCrypto, signature, tbs, NO_DEMANDS);
    });
  }

  test("there is a recorded one of each type", () => {
    expect(recorded.map(({ name }) => name)).toEqual(["ed25519-sk", "ecdsa-sk"]);
  });
});

describe("the armored form", () => {
  test("lines of 70 characters, a line feed at the end", () => {
    const lines = encodeArmoredSignature(new Uint8Array(105).fill(0xff)).split("\n");
    expect(lines).toEqual([
      "-----BEGIN SSH SIGNATURE-----",
      "/".repeat(70),
      "/".repeat(70),
      "-----END SSH SIGNATURE-----",
      "",
    ]);
  });

  test("read back whatever its length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (blob) => {
        expect(parseArmoredSignature(encodeUtf8(encodeArmoredSignature(blob)))).toEqual(blob);
      }),
    );
  });

  const armored = encodeArmoredSignature(new Uint8Array(105).fill(0xff));
  test.each([
    ["nothing", ""],
    ["a frame around nothing", encodeArmoredSignature(new Uint8Array())],
    ["no line feed at the end", armored.slice(0, -1)],
    ["one too many", `${armored}\n`],
    ["text before it", `note\n${armored}`],
    ["two of them", armored + armored],
    ["carriage returns", armored.replaceAll("\n", "\r\n")],
    ["lines of another length", armored.replace(/(\/{70})\n(\/{70})/, "$1$2")],
    ["another frame", armored.replaceAll("SIGNATURE", "MESSAGE")],
    ["unused bits that are set", encodeArmoredSignature(new Uint8Array(104)).replace("A=\n", "B=\n")],
    ["characters that are no base64", armored.replace("/", "*")],
  ])("refused: %s", (_what, text) => {
    expect(refusalOf(() => parseArmoredSignature(encodeUtf8(text)))?.code).toBe("MALFORMED");
  });

  test("[C-15] refused: a file that is too long", () => {
    expect(refusalOf(() => parseArmoredSignature(new Uint8Array(16_385)))?.code).toBe("TOO_LARGE");
  });
});

function dearmor(armored: string): Uint8Array {
  return Uint8Array.from(Buffer.from(armored.split("\n").slice(1, -2).join(""), "base64"));
}

function renamed(blob: Uint8Array, namespace: string): Uint8Array {
  const bytes = Buffer.from(blob);
  const from = sshString(namespace);
  const at = bytes.indexOf(from);
  return Uint8Array.from(
    Buffer.concat([bytes.subarray(0, at), sshString("touchmark"), bytes.subarray(at + from.length)]),
  );
}

function sshString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
