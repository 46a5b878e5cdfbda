import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  addSignature,
  encodeBase64,
  encodeEnvelope,
  encodeRelease,
  type EnvelopeSignature,
  parseBase64,
  parseEnvelope,
  SK_ECDSA,
} from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  clientDataFor,
  makeSoftKey,
  type SoftKey,
  type SoftSignOptions,
} from "../../packages/core/test/support/soft-key.ts";
import { readTarball } from "../../packages/verify/src/tarball.ts";
import { type Packed, packRelease, tarballFile } from "../support/packed.ts";
import { type Outcome, type Place, runTouchmark } from "../support/touchmark.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// Signatures that are too few, by the wrong people, about something else, or made otherwise than by a touch: what the log
// says to whoever hands them in, and what everybody says who checks the tarball.

let workshop: Workshop;
const alice = makeSoftKey({ seed: "alice", type: SK_ECDSA });
const aliceBackup = makeSoftKey({ seed: "alice's other key" });
const bob = makeSoftKey({ seed: "bob" });
const carol = makeSoftKey({
  seed: "carol",
  type: SK_ECDSA,
  application: "team.example",
  origin: "https://team.example",
});
const stranger = makeSoftKey({ seed: "mallory" });

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
  const everybody = { alice: [alice, aliceBackup], bob: [bob], carol: [carol] };
  await claimBy(everybody, "widget", "--threshold 2");
  await claimBy({ alice: [alice], bob: [bob] }, "vault", "--threshold 1 --uv --device-bound");
});
afterAll(() => workshop.close());

const touchmark = (command: string, place: Partial<Place> = {}): Promise<Outcome> =>
  runTouchmark(command.split(" "), { ...workshop.makers, ...place });

async function claimBy(holders: Record<string, SoftKey[]>, name: string, more: string): Promise<void> {
  const { directory } = workshop.makers;
  const cards = Object.entries(holders).map(([holder, keys]) => {
    const card = `${name}-${holder}.card`;
    writeFileSync(
      join(directory, card),
      keys.map(({ record }) => `${JSON.stringify({ holder, key: record })}\n`).join(""),
    );
    return `--key ${card}`;
  });
  const file = join(directory, `${name}.touchmark`);
  const { stdout } = await workshop.make(`claim ${name} ${cards.join(" ")} ${more} --no-earlier --out ${file} --json`);
  const { authority } = JSON.parse(stdout) as { authority: string };
  const policy = join(directory, "touchmark.json");
  const before = JSON.parse(readFileSync(policy, "utf8")) as { packages?: object };
  writeFileSync(policy, JSON.stringify({ ...before, packages: { ...before.packages, [name]: { authority } } }));
  const flags = more.includes("--uv") ? 0x05 : 0x01;
  const signed = Object.values(holders)
    .flat()
    .reduce(
      (envelope, key) => addSignature(envelope, key.sign(nodeCrypto, envelope.payload, { flags })),
      parseEnvelope(readFileSync(file)),
    );
  writeFileSync(file, encodeEnvelope(signed));
  await workshop.make(`submit ${file}`);
}

/** A tarball on the desk, and beside it a signature file with these signatures. */
async function signedFile(
  name: string,
  sign: (payload: Uint8Array) => EnvelopeSignature[],
  { version = "1.0.0", logs = [workshop.log.endpoint.origin] } = {},
): Promise<string> {
  const packed = packRelease({ name, version });
  const file = workshop.putOnDesk(packed);
  const payload = await payloadOf(packed, logs);
  const envelope = sign(payload).reduce(addSignature, { payload, signatures: [] });
  writeFileSync(join(workshop.makers.directory, `${file}.touchmark`), encodeEnvelope(envelope));
  return file;
}

async function payloadOf(packed: Packed, logs: string[]): Promise<Uint8Array> {
  const { sha512, tarSha512 } = await readTarball([packed.tarball]);
  return encodeRelease({
    logs,
    releases: [{ releaseId: `npm:npmjs/${packed.name}@${packed.version}`, sha512, tarSha512 }],
  });
}

/** The log doesn't take it, and nobody who checks the tarball does. */
async function expectRefused(file: string, submitted: RegExp, verified: RegExp): Promise<void> {
  const submit = await touchmark(`submit ${file}.touchmark`);
  expect([submit.exit, submit.text]).toEqual([1, expect.stringMatching(submitted)]);
  const verify = await touchmark(`verify ${file} --online`);
  expect([verify.exit, verify.text]).toEqual([1, expect.stringMatching(verified)]);
}

const by =
  (...keys: SoftKey[]) =>
  (payload: Uint8Array): EnvelopeSignature[] =>
    keys.map((key) => key.sign(nodeCrypto, payload));

describe("I7: two signatures, and one vote", () => {
  test("by two keys of one holder", async () => {
    await expectRefused(
      await signedFile("widget", by(alice, aliceBackup)),
      /^error: .*1 of 2.*one vote.* \[THRESHOLD\]/,
      /1 of 2.*one vote.*\[THRESHOLD S-22\]/,
    );
  });

  test("the second by somebody who is no holder", async () => {
    const words = /\[(?:WRONG_KEY|WRONG_KEY S-\d+)\]/;
    await expectRefused(await signedFile("widget", by(alice, stranger)), words, words);
  });
});

describe("I9: a signature for something else", () => {
  test("its file beside another package's tarball, another version's, other bytes'", async () => {
    const { directory } = workshop.makers;
    const signed = join(directory, `${await signedFile("widget", by(alice, bob))}.touchmark`);
    const others: [Packed, string][] = [
      [packRelease({ name: "widgett", version: "1.0.0" }), "RULE_BROKEN V-14"],
      [packRelease({ name: "@guild/widget", version: "1.0.0" }), "RULE_BROKEN V-14"],
      [packRelease({ name: "widget", version: "1.0.1" }), "RULE_BROKEN V-14"],
      [packRelease({ name: "widget", version: "1.0.0", files: { "index.js": "other" } }), "WRONG_DIGEST V-15"],
    ];
    for (const [packed, code] of others) {
      const folder = join(directory, "other");
      const file = join(folder, tarballFile(packed));
      writeInto(folder, tarballFile(packed), packed.tarball);
      writeInto(folder, `${tarballFile(packed)}.touchmark`, readFileSync(signed));
      const verified = await touchmark(`verify ${file} --online`);
      expect([verified.exit, verified.text]).toEqual([1, expect.stringContaining(`[${code}]`)]);
      const added = await touchmark(`sign ${file} --yes --holder alice`);
      expect([added.exit, added.text]).toEqual([
        1,
        expect.stringMatching(/^error: .* \[(?:OTHER_BYTES|OTHER_STATEMENT)\]\nhint: /),
      ]);
      expect(readFileSync(`${file}.touchmark`)).toEqual(readFileSync(signed));
    }
  });

  test("a signature file that somebody has put there, which says more than the tarball, gets no signature", async () => {
    const { directory } = workshop.makers;
    const packed = packRelease({ name: "widget", version: "2.0.0" });
    const file = workshop.putOnDesk(packed);
    const { sha512, tarSha512 } = await readTarball([packed.tarball]);
    const honest = { releaseId: "npm:npmjs/widget@2.0.0", sha512, tarSha512 };
    const slipped = { releaseId: "npm:npmjs/widget@2.0.1", sha512: "ab".repeat(64), tarSha512: "ab".repeat(64) };
    const origin = workshop.log.endpoint.origin;
    for (const [releases, logs] of [
      [[honest, slipped], [origin]],
      [[honest], ["log.example/elsewhere"]],
      [[honest], ["log.example/elsewhere", origin].toSorted()],
    ] as const) {
      const planted = encodeEnvelope({
        payload: encodeRelease({ logs: [...logs], releases: [...releases] }),
        signatures: [],
      });
      writeInto(directory, `${file}.touchmark`, planted);
      const outcome = await touchmark(`sign ${file} --yes --holder alice`);
      expect([outcome.exit, outcome.text]).toEqual([
        1,
        expect.stringMatching(/^error: .* \[OTHER_STATEMENT\]\nhint: /),
      ]);
      expect(readFileSync(join(directory, `${file}.touchmark`))).toEqual(Buffer.from(planted));
    }
  });

  test("made for another log", async () => {
    const file = await signedFile("widget", by(alice, bob), { version: "3.0.0", logs: ["log.example/elsewhere"] });
    await expectRefused(file, /\[WRONG_LOG\]/, /\[RULE_BROKEN S-8\]/);
  });
});

function writeInto(folder: string, file: string, content: Uint8Array): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), content);
}

describe("K1: not made by a touch for these bytes", () => {
  const forged =
    (key: SoftKey, options: SoftSignOptions) =>
    (payload: Uint8Array): EnvelopeSignature[] => [key.sign(nodeCrypto, payload, options)];

  test.each<[string, string, (payload: Uint8Array) => EnvelopeSignature[], string]>([
    [
      "another statement's signature",
      "widget",
      (payload) => by(alice)(Uint8Array.from([...payload, 32])),
      "BAD_SIGNATURE",
    ],
    [
      "another challenge",
      "widget",
      forged(carol, { clientData: clientDataFor(Buffer.from("other"), "https://team.example") }),
      "WRONG_CHALLENGE",
    ],
    ["no touch", "widget", forged(alice, { flags: 0x00 }), "NO_USER_PRESENCE"],
    ["no PIN where one is asked for", "vault", forged(alice, { flags: 0x01 }), "NO_USER_VERIFICATION"],
    [
      "a passkey that is copied, where that is not wanted",
      "vault",
      forged(alice, { flags: 0x05 | 0x18 }),
      "NOT_DEVICE_BOUND",
    ],
    ["flags that no assertion has", "widget", forged(alice, { flags: 0x41 }), "BAD_FLAGS"],
    ["extensions that the key's form doesn't have", "widget", forged(alice, { flags: 0x81 }), "BAD_FLAGS"],
  ])("%s", async (_, name, sign, code) => {
    const file = await signedFile(name, sign, { version: "4.0.0" });
    await expectRefused(file, new RegExp(`^error: .* \\[${code}\\]`), /rejected[^]*\[SIGNATURE_BAD K-\d+\]/);
  });

  test("on another site", async () => {
    const elsewhere = makeSoftKey({
      seed: "carol",
      type: SK_ECDSA,
      application: "team.example",
      origin: "https://evil.example",
    });
    const file = await signedFile("widget", by(elsewhere), { version: "4.0.1" });
    await expectRefused(file, /\[WRONG_ORIGIN\]/, /\[SIGNATURE_BAD K-10\]/);
  });
});

describe("K2: not in the one form that there is", () => {
  /** A good signature with its blob changed. */
  const changed =
    (change: (blob: Buffer) => Buffer) =>
    (payload: Uint8Array): EnvelopeSignature[] => {
      const { keyid, sig } = alice.sign(nodeCrypto, payload);
      return [{ keyid, sig: Uint8Array.from(change(Buffer.from(sig))) }];
    };

  test.each<[string, (blob: Buffer) => Buffer]>([
    ["cut short", (blob) => blob.subarray(0, -1)],
    ["with more behind", (blob) => Buffer.concat([blob, Buffer.of(0)])],
    [
      "another algorithm's name",
      (blob) =>
        Buffer.from(blob.toString("latin1").replaceAll("sk-ecdsa-sha2-nistp256@", "sk-ecdsa-sha2-nistp384@"), "latin1"),
    ],
    ["a number that is not in its shortest form", (blob) => padded(blob)],
  ])("%s", async (_, change) => {
    const file = await signedFile("widget", changed(change), { version: "5.0.0" });
    const submit = await touchmark(`submit ${file}.touchmark`);
    expect(submit.exit, submit.text).not.toBe(0);
    expect(submit.text).toMatch(/^error: .*\[(?:MALFORMED|BAD_KEY|BAD_SIGNATURE)\]/);
    const verify = await touchmark(`verify ${file} --online`);
    expect(verify.exit, verify.text).not.toBe(0);
    expect(verify.text).not.toContain("accepted");
  });

  test("a key that is no point of the curve is in no claim", async () => {
    const [type = "", base64 = ""] = alice.record.split(" ");
    const blob = Buffer.from(parseBase64(base64));
    blob[blob.length - 40]! ^= 1; // in y
    writeFileSync(
      join(workshop.makers.directory, "bad.card"),
      JSON.stringify({ holder: "alice", key: `${type} ${encodeBase64(blob)}` }),
    );
    const outcome = await touchmark("claim crooked --key bad.card --threshold 1 --no-earlier --out crooked.touchmark");
    expect([outcome.exit, outcome.text]).toEqual([
      2,
      expect.stringMatching(/^error: .*bad\.card is not a key card: .*\[CARD_MALFORMED\]/),
    ]);
  });
});

describe("L9: one statement from two places at once", () => {
  test("is one entry, with one index for both, then and later", async () => {
    const file = await signedFile("widget", by(alice, bob), { version: "9.0.0" });
    const homes = ["here", "there", "here"].map((home) => join(workshop.root, home));
    const submit = (home: string): Promise<Outcome> => touchmark(`submit ${file}.touchmark --json`, { home });
    const outcomes = [...(await Promise.all(homes.slice(0, 2).map(submit))), await submit(homes[2]!)];
    const indices = outcomes.map(({ exit, stdout }) => [exit, (JSON.parse(stdout) as { entries: object }).entries]);
    expect(indices).toEqual([indices[0], indices[0], indices[0]]);
    expect(indices[0]).toEqual([0, { "npm:npmjs/widget": expect.any(Number) }]);
    const verified = await touchmark(`verify ${file} --online`);
    expect([verified.exit, verified.text]).toEqual([0, expect.stringContaining("signed by alice, bob")]);
  });
});

/** The number r with a zero in front that is not needed, and all lengths as they then must be. */
function padded(blob: Buffer): Buffer {
  const text = "sk-ecdsa-sha2-nistp256@openssh.com";
  const at = blob.lastIndexOf(text) + text.length; // the raw signature's length
  const outer = blob.lastIndexOf(text) - 8; // the signature field's length
  const numbers = blob.readUInt32BE(at);
  const r = blob.readUInt32BE(at + 4);
  const longer = Buffer.concat([blob.subarray(0, at + 8), Buffer.of(0), blob.subarray(at + 8)]);
  longer.writeUInt32BE(blob.readUInt32BE(outer) + 1, outer);
  longer.writeUInt32BE(numbers + 1, at);
  longer.writeUInt32BE(r + 1, at + 4);
  return longer;
}
