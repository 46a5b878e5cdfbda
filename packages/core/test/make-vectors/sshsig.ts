import { hash } from "node:crypto";
import { SK_ECDSA, SK_ED25519, type SshSignature } from "../../src/index.ts";
import { clientDataFor, makeSoftKey, type SoftKey, type SoftSignOptions } from "../support/soft-key.ts";
import { type BlobChanges, readDer, writeBlob, writeStrings } from "./ssh-blob.ts";

/** One SSHSIG blob, checked against a message and an authority's demands. Binary values are base64. */
export interface SshsigCase {
  /** The rule that the case is about. */
  rule: string;
  name: string;
  blob: string;
  message: string;
  userVerification: boolean;
  deviceBound: boolean;
  /** `null` if the signature is good, else the code and the rule of the refusal. */
  error: { code: string; rule: string } | null;
}

const MESSAGE = "DSSEv1 28 application/vnd.in-toto+json 2 {}";
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const ed = makeSoftKey({ type: SK_ED25519, seed: "sshsig" });
const ec = makeSoftKey({ type: SK_ECDSA, seed: "sshsig" });
const web = browserKey("team.example", "https://gate.team.example");

/** Every rule of chapter 02 about a signature, kept and broken. */
export function sshsigCases(): SshsigCase[] {
  return [...good(), ...container(), ...signatureField(), ...signedData(), ...browser(), ...origins(), ...flags()];
}

function good(): SshsigCase[] {
  const { r, s } = readDer(sign(ec).signature);
  const mirrored = writeStrings(r, mpint(N - BigInt(`0x${s.toString("hex")}`)));
  return [
    accepted("K-5", "sk-ssh-ed25519", ed),
    accepted("K-5", "sk-ecdsa", ec),
    accepted("K-5", "webauthn-sk-ecdsa", web),
    accepted("K-8", "the greatest counter", ed, { counter: 0xffffffff }),
    accepted("K-8", "counter 0", ec, { counter: 0 }),
    accepted("K-9", "extensions, with their flag", web, { flags: 0x81, extensions: Buffer.from("a0", "hex") }),
    accepted("K-12", "verified, and asked for", ed, { flags: 0x05 }, { userVerification: true }),
    accepted("K-13", "a passkey that is backed up, where that is allowed", web, { flags: 0x1d }),
    accepted("K-13", "a passkey that may be backed up", web, { flags: 0x0d }),
    accepted("K-13", "a key that may not be backed up, and must not", ed, { flags: 0x05 }, { deviceBound: true }),
    verdict("K-7", "n - s in place of s: one of the two is high", writeBlob(sign(ec), { raw: mirrored }), null),
  ];
}

function container(): SshsigCase[] {
  const elsewhere = makeSoftKey({ seed: "elsewhere" });
  const point = Buffer.from(ec.key.publicKey);
  point[64]! ^= 1;
  const small = Buffer.from("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "hex");
  const whole = writeBlob(sign(ed));
  return [
    refused("K-5", "another magic", "MALFORMED", ed, { magic: "SSHSIH" }),
    refused("K-6", "version 0", "MALFORMED", ed, { version: 0 }),
    refused("K-6", "version 2", "MALFORMED", ed, { version: 2 }),
    refused("K-6", "namespace file", "MALFORMED", ed, { namespace: "file" }),
    refused("K-6", "namespace touchmark with a NUL", "MALFORMED", ed, { namespace: "touchmark\0" }),
    refused("K-6", "an empty namespace", "MALFORMED", ed, { namespace: "" }),
    refused("K-6", "a reserved field that is not empty", "MALFORMED", ed, { reserved: "x" }),
    refused("K-6", "hash sha256", "MALFORMED", ed, { hash: "sha256" }),
    refused("K-6", "a trailing byte", "MALFORMED", ed, { tail: "\0" }),
    ...[0, 5, 9, 40, 120, whole.length - 1].map((length) =>
      verdict("K-6", `cut after ${length} bytes`, whole.subarray(0, length), "MALFORMED"),
    ),
    refused("C-15", "a blob of more than 8 KiB", "TOO_LARGE", ed, { tail: "x".repeat(8192) }),
    refused("K-6", "the key of another", "BAD_SIGNATURE", ed, { key: elsewhere.key.blob }, { rule: "K-8" }),
    refused("K-1", "a plain ssh-ed25519 key", "BAD_KEY", ed, { key: writeStrings("ssh-ed25519", ed.key.publicKey) }),
    refused("K-2", "a key with a trailing byte", "BAD_KEY", ed, { key: Buffer.concat([ed.key.blob, Buffer.of(0)]) }),
    refused("K-2", "a point off the curve", "BAD_KEY", ec, {
      key: writeStrings(SK_ECDSA, "nistp256", point, "ssh:touchmark"),
    }),
    refused("K-2", "another curve's name", "BAD_KEY", ec, {
      key: writeStrings(SK_ECDSA, "nistp384", ec.key.publicKey, "ssh:touchmark"),
    }),
    refused("K-2", "an Ed25519 key of small order", "BAD_KEY", ed, {
      key: writeStrings(SK_ED25519, small, "ssh:touchmark"),
    }),
    refused("K-3", "a key without application", "BAD_KEY", ed, {
      key: writeStrings(SK_ED25519, ed.key.publicKey, ""),
    }),
  ];
}

function signatureField(): SshsigCase[] {
  const { r, s } = readDer(sign(ec).signature);
  const edRaw = Buffer.from(sign(ed).signature);
  const zero = Buffer.of(0);
  const over = (value: Buffer): Buffer => mpint(BigInt(`0x${value.toString("hex")}`) + 2n ** 256n);
  const ecdsa: [string, Buffer][] = [
    ["r = 0", writeStrings("", s)],
    ["s = 0", writeStrings(r, "")],
    ["r = 0, as a byte", writeStrings(zero, s)],
    ["r = n", writeStrings(mpint(N), s)],
    ["s = n", writeStrings(r, mpint(N))],
    ["r + 2^256, of 33 bytes", writeStrings(over(r), s)],
    ["s + 2^256, of 33 bytes", writeStrings(r, over(s))],
    ["r with a zero in front", writeStrings(Buffer.concat([zero, zero, r]), s)],
    ["s with a zero in front", writeStrings(r, Buffer.concat([zero, zero, s]))],
    ["a negative r", writeStrings(Buffer.alloc(32, 0xff), s)],
  ];
  return [
    ...ecdsa.map(([name, raw]) => refused("K-7", name, "BAD_SIGNATURE", ec, { raw })),
    refused("K-7", "r alone", "MALFORMED", ec, { raw: writeStrings(r) }),
    refused("K-7", "a third number", "MALFORMED", ec, { raw: writeStrings(r, s, s) }),
    refused("K-7", "DER in place of mpints", "MALFORMED", ec, { raw: sign(ec).signature }),
    refused("K-7", "Ed25519 of 63 bytes", "BAD_SIGNATURE", ed, { raw: edRaw.subarray(0, 63) }),
    refused("K-7", "Ed25519 of 65 bytes", "BAD_SIGNATURE", ed, { raw: Buffer.concat([edRaw, zero]) }),
    refused("K-7", "Ed25519 with an R of small order", "BAD_SIGNATURE", ed, {
      raw: Buffer.concat([Buffer.of(1), Buffer.alloc(31), edRaw.subarray(32)]),
    }),
    refused("K-7", "Ed25519 with S + L", "BAD_SIGNATURE", ed, { raw: addOrder(edRaw) }, { rule: "K-8" }),
    refused("K-7", "an ECDSA type for an Ed25519 key", "MALFORMED", ed, { type: SK_ECDSA }),
    refused("K-7", "an Ed25519 type for an ECDSA key", "MALFORMED", ec, { type: SK_ED25519 }),
    refused("K-7", "the type of a plain key", "MALFORMED", ed, { type: "ssh-ed25519" }),
    refused("K-7", "the browser's type without its fields", "MALFORMED", ec, {
      type: "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    }),
    refused("K-7", "the browser's fields without its type", "MALFORMED", web, { type: SK_ECDSA }),
    refused("K-7", "a byte after the counter", "MALFORMED", ed, { fieldTail: "\0" }),
    refused("K-7", "a byte after the extensions", "MALFORMED", web, { fieldTail: "\0" }),
  ];
}

function signedData(): SshsigCase[] {
  const flipped = Buffer.from(sign(ed).signature);
  flipped[40]! ^= 1;
  const elsewhere = makeSoftKey({ application: "ssh:elsewhere", seed: "sshsig" });
  return [
    { ...refused("K-5", "another message", "BAD_SIGNATURE", ed, {}, { rule: "K-8" }), message: base64("another") },
    { ...refused("K-5", "another message", "BAD_SIGNATURE", ec, {}, { rule: "K-8" }), message: base64("another") },
    { ...refused("K-5", "another message", "WRONG_CHALLENGE", web, {}, { rule: "K-9" }), message: base64("another") },
    refused("K-5", "tbs of another namespace", "BAD_SIGNATURE", ed, {}, { rule: "K-8", tbs: tbs("file") }),
    refused(
      "K-5",
      "the message itself in place of tbs",
      "BAD_SIGNATURE",
      ed,
      {},
      { rule: "K-8", tbs: Buffer.from(MESSAGE) },
    ),
    refused("K-8", "a flipped bit", "BAD_SIGNATURE", ed, { raw: flipped }),
    refused("K-8", "signed for another application", "BAD_SIGNATURE", elsewhere, { key: ed.key.blob }),
    refused("K-8", "UV claimed afterwards", "BAD_SIGNATURE", ed, { flags: 0x05 }),
    refused("K-8", "another counter", "BAD_SIGNATURE", ec, { counter: 2 }),
    verdict(
      "K-8",
      "a browser's signature as a plain one",
      writeBlob({ ...sign(web), webauthn: null }),
      "BAD_SIGNATURE",
    ),
  ];
}

function browser(): SshsigCase[] {
  const honest = Buffer.from(clientDataFor(tbs(), "https://gate.team.example")).toString();
  const other = Buffer.from(hash("sha256", tbs(), "buffer")).toString("base64url");
  const changed = (name: string, code: string, text: string | Buffer, rule = "K-9"): SshsigCase =>
    refused("K-9", name, code, web, {}, { rule, clientData: Buffer.from(text) });
  const challenge = Buffer.from(tbs()).toString("base64url");
  return [
    accepted("K-9", "more fields after the origin", web, {
      clientData: Buffer.from(honest.replace(',"crossOrigin":false', ',"crossOrigin":true,"topOrigin":"x"')),
    }),
    accepted("K-9", "clientDataJSON of 4 KiB", web, { clientData: Buffer.from(honest.padEnd(4096)) }),
    changed("an enrolment", "WRONG_CHALLENGE", honest.replace("webauthn.get", "webauthn.create")),
    changed("the challenge's hash", "WRONG_CHALLENGE", honest.replace(challenge, other)),
    changed("a padded challenge", "WRONG_CHALLENGE", honest.replace(challenge, `${challenge}==`)),
    changed("a challenge that only begins right", "WRONG_CHALLENGE", honest.replace(challenge, `${challenge}AA`)),
    changed("white space", "WRONG_CHALLENGE", honest.replace('"type":', '"type": ')),
    changed(
      "the origin before the challenge",
      "WRONG_CHALLENGE",
      `{"type":"webauthn.get","origin":"x",${honest.slice(1)}`,
    ),
    changed("nothing", "WRONG_CHALLENGE", ""),
    changed("ill-formed UTF-8", "MALFORMED", Buffer.concat([Buffer.from(honest), Buffer.of(0xff)]), "C-1"),
    changed("a byte order mark", "MALFORMED", `\u{feff}${honest}`, "C-1"),
    changed("more than 4 KiB", "TOO_LARGE", honest.padEnd(4097)),
    changed("another page's origin", "WRONG_ORIGIN", honest.replace("https://gate.", "https://other."), "K-10"),
    changed("an origin that only begins right", "WRONG_ORIGIN", honest.replace('.example"', '.example.evil"'), "K-10"),
    refused(
      "K-9",
      "clientDataJSON changed afterwards",
      "BAD_SIGNATURE",
      web,
      { clientData: Buffer.from(`${honest} `) },
      { rule: "K-8" },
    ),
    refused("K-9", "the flag ED without extensions", "BAD_FLAGS", web, {}, { flags: 0x81 }),
    refused("K-9", "extensions without the flag ED", "BAD_FLAGS", web, {}, { extensions: Buffer.of(0xa0) }),
  ];
}

function origins(): SshsigCase[] {
  const yes: [string, string][] = [
    ["team.example", "https://team.example"],
    ["team.example", "https://a.b.team.example"],
    ["localhost", "http://localhost"],
    ["localhost", "http://localhost:8080"],
  ];
  const no: [string, string][] = [
    ["team.example", "http://team.example"],
    ["team.example", "https://evilteam.example"],
    ["team.example", "https://team.example.evil.example"],
    ["team.example", "https://example"],
    ["team.example", "https://team.example/"],
    ["team.example", "https://x@team.example"],
    ["team.example", "https://evil.example#.team.example"],
    ["team.example", "https://evil.example/.team.example"],
    ["team.example", "https://TEAM.example"],
    ["team.example", "https://team.example."],
    ["team.example", "http://localhost"],
    ["team.example", "android:apk-key-hash:x"],
    ["team.example", ""],
    ["localhost", "https://localhost"],
    ["localhost", "http://localhost:0"],
    ["localhost", "http://localhost:80x"],
    ["localhost", "http://localhost.evil.example"],
    ["localhost", "http://127.0.0.1"],
    ["ssh:touchmark", "https://ssh:touchmark"],
    ["ssh:touchmark", "https://x.ssh:touchmark"],
  ];
  return [
    ...yes.map(([application, origin]) =>
      accepted("K-10", `${origin} for ${application}`, browserKey(application, origin)),
    ),
    ...no.map(([application, origin]) =>
      refused("K-10", `"${origin}" for ${application}`, "WRONG_ORIGIN", browserKey(application, origin)),
    ),
  ];
}

function flags(): SshsigCase[] {
  const ask = { userVerification: true };
  return [ed, ec, web].flatMap((key) => [
    refused("K-11", "no user presence", "NO_USER_PRESENCE", key, {}, { flags: 0x00 }),
    refused("K-11", "verified, but not present", "NO_USER_PRESENCE", key, {}, { flags: 0x04 }),
    refused("K-12", "not verified, though asked for", "NO_USER_VERIFICATION", key, {}, { flags: 0x01, ...ask }),
    refused("K-13", "backed up, though not able to be", "BAD_FLAGS", key, {}, { flags: 0x11 }),
    refused(
      "K-13",
      "may be backed up, though hardware is asked for",
      "NOT_DEVICE_BOUND",
      key,
      {},
      { flags: 0x09, deviceBound: true },
    ),
    refused(
      "K-13",
      "backed up, though hardware is asked for",
      "NOT_DEVICE_BOUND",
      key,
      {},
      { flags: 0x19, deviceBound: true },
    ),
    refused("K-14", "attested data", "BAD_FLAGS", key, {}, { flags: 0x41 }),
    refused("K-14", "the reserved 0x02", "BAD_FLAGS", key, {}, { flags: 0x03 }),
    refused("K-14", "the reserved 0x20", "BAD_FLAGS", key, {}, { flags: 0x21 }),
    ...(key === web ? [] : [refused("K-14", "the flag ED", "BAD_FLAGS", key, {}, { flags: 0x81 })]),
  ]);
}

interface Demands {
  userVerification?: boolean;
  deviceBound?: boolean;
}

interface Signing extends SoftSignOptions, Demands {
  /** The rule that refuses, where it isn't the one that the case is about. */
  rule?: string;
  tbs?: Uint8Array;
}

function accepted(
  rule: string,
  name: string,
  key: SoftKey,
  how: SoftSignOptions = {},
  demands: Demands = {},
): SshsigCase {
  return verdict(rule, name, writeBlob(key.signBytes(tbs(), how)), null, rule, demands);
}

function refused(
  rule: string,
  name: string,
  code: string,
  key: SoftKey,
  changes: BlobChanges = {},
  how: Signing = {},
): SshsigCase {
  const blob = writeBlob(key.signBytes(how.tbs ?? tbs(), how), changes);
  return verdict(rule, `${name} (${KINDS.get(key) ?? "browser"})`, blob, code, how.rule ?? rule, how);
}

function verdict(
  rule: string,
  name: string,
  blob: Buffer,
  code: string | null,
  by = rule,
  demands: Demands = {},
): SshsigCase {
  return {
    rule,
    name,
    blob: blob.toString("base64"),
    message: base64(MESSAGE),
    userVerification: demands.userVerification ?? false,
    deviceBound: demands.deviceBound ?? false,
    error: code === null ? null : { code, rule: by },
  };
}

const KINDS = new Map([
  [ed, "Ed25519"],
  [ec, "ECDSA"],
]);

const signatures = new Map<SoftKey, SshSignature>();
/** One plain signature a key: ECDSA's differ from call to call. */
function sign(key: SoftKey): SshSignature {
  const made = signatures.get(key) ?? key.signBytes(tbs());
  signatures.set(key, made);
  return made;
}

function browserKey(application: string, origin: string): SoftKey {
  return makeSoftKey({ type: SK_ECDSA, application, origin, seed: "browser" });
}

function tbs(namespace = "touchmark"): Buffer {
  return Buffer.concat([
    Buffer.from("SSHSIG"),
    writeStrings(namespace, "", "sha512", hash("sha512", MESSAGE, "buffer")),
  ]);
}

function mpint(value: bigint): Buffer {
  const text = value.toString(16);
  const even = text.length % 2 === 0 ? text : `0${text}`;
  return Buffer.from(Number.parseInt(even.slice(0, 2), 16) > 0x7f ? `00${even}` : even, "hex");
}

function addOrder(raw: Buffer): Buffer {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(raw.subarray(32).toReversed()).toString("hex")}`) + order;
  const bytes = Buffer.from(s.toString(16).padStart(64, "0"), "hex");
  return Buffer.concat([raw.subarray(0, 32), bytes.toReversed()]);
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
