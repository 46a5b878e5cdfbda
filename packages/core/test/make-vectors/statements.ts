import { hash } from "node:crypto";
import type { JsonObject } from "../../src/index.ts";
import type { SoftKey, SoftSignOptions } from "../support/soft-key.ts";
import {
  alice,
  aliceBackup,
  bob,
  carol,
  claim,
  dave,
  GADGET,
  held,
  LOG,
  put,
  release,
  safe,
  WIDGET,
} from "./payload-parts.ts";
import { digests } from "./payload-case.ts";
import { writeBlob, writeStrings } from "./ssh-blob.ts";

/** One envelope offered to a log, after others that it has admitted. */
export interface StatementCase {
  /** The rule that the case is about. */
  rule: string;
  name: string;
  /** The log that it is offered to. */
  origin: string;
  /** Envelopes admitted before, in order; each for every package that it names. */
  after: string[];
  envelope: string;
  /** Of admitted ones only: [S-6], [S-14] (claims), and the fingerprints of the signers in the envelope's order. */
  digest: string | null;
  authorityDigest: string | null;
  signers: string[] | null;
  error: { code: string; rule: string } | null;
}

const THREE = [alice, bob, carol];
const widgetClaim = sign(claim(), THREE);

/** Admission by [S-1] to [S-5], [S-8], [S-16], [S-17] and [S-21] to [S-24]. */
export function statementCases(): StatementCase[] {
  return [...claims(), ...releases(), ...demands(), ...envelopes(), ...signatures()];
}

function claims(): StatementCase[] {
  const recovery = { recovery: { threshold: 1, keys: [held("alice", safe)] } };
  const elsewhere = put(claim(), ["predicate", "logs"], ["other.example"]);
  const followed = put(claim(), ["predicate", "packages", WIDGET, "previous"], "00".repeat(32));
  const rival = claim({ keys: [held("dave", dave)], releaseThreshold: 1, changeThreshold: 1 });
  return [
    admitted("S-16", "a claim by all of its keys", claim(), THREE),
    admitted("S-11", "a claim of two packages", claim({}, [GADGET, WIDGET]), THREE),
    admitted("S-16", "a claim by all of its keys, recovery too", claim(recovery), [...THREE, safe]),
    admitted("S-8", "a claim for two logs", put(claim(), ["predicate", "logs", 1], "other.example"), THREE),
    refused("S-8", "a claim for another log", "WRONG_LOG", elsewhere, THREE),
    refused("S-16", "a claim without one key", "MISSING_POSSESSION", claim(), [alice, bob]),
    refused("S-16", "a claim without signatures", "MISSING_POSSESSION", claim(), []),
    refused("S-16", "a claim without its recovery key", "MISSING_POSSESSION", claim(recovery), THREE),
    refused("S-4", "a claim with a foreign signature", "WRONG_KEY", claim(), [...THREE, dave]),
    refused("S-17", "a claim after an entry that isn't there", "WRONG_PREVIOUS", followed, THREE),
    refused("A-3", "a second claim, by others, without proof", "PROOF_NEEDED", rival, [dave], [widgetClaim]),
    refused("S-21", "the same claim again", "ALREADY_CLAIMED", claim(), THREE, [widgetClaim]),
  ];
}

function releases(): StatementCase[] {
  const after = [widgetClaim];
  const backups = { keys: [held("alice", alice), held("alice", aliceBackup), held("bob", bob)].toSorted(byKey) };
  const withBackup = [sign(claim(backups), [alice, aliceBackup, bob])];
  const recovery = { recovery: { threshold: 1, keys: [held("carol", safe)] } };
  const withRecovery = [sign(claim(recovery), [...THREE, safe])];
  const gadgetOfDave = sign(claim({ keys: [held("bob", bob), held("dave", dave)] }, [GADGET]), [bob, dave]);
  const gadgetOfTwo = sign(claim({ keys: [held("alice", alice), held("bob", bob)] }, [GADGET]), [alice, bob]);
  const both = release([`${GADGET}@1.0.0`, `${WIDGET}@1.0.0`]);
  const elsewhere = put(release(), ["predicate", "logs"], ["other.example"]);
  return [
    admitted("S-22", "a release by 2 of 3", release(), [alice, bob], after),
    admitted("S-22", "a release by a USB key and a browser", release(), [bob, carol], after),
    admitted("S-22", "a release by 3 of 3", release(), THREE, after),
    admitted("S-5", "a release by 2 holders with 3 keys", release(), [alice, aliceBackup, bob], withBackup),
    admitted("S-22", "a release of two packages, enough for both", both, [alice, bob], [widgetClaim, gadgetOfTwo]),
    refused("S-8", "a release for another log", "WRONG_LOG", elsewhere, [alice, bob], after),
    refused("S-22", "a release by 1 of 3", "THRESHOLD", release(), [bob], after),
    refused("S-22", "a release by nobody", "THRESHOLD", release(), [], after),
    refused(
      "S-5",
      "a release by two keys of one holder",
      "THRESHOLD",
      release(),
      [alice, aliceBackup],
      withBackup,
      "S-22",
    ),
    refused("S-22", "a release of a package that isn't claimed", "NOT_CLAIMED", release(), [alice, bob]),
    refused("S-22", "a release of two packages of which one isn't claimed", "NOT_CLAIMED", both, [alice, bob], after),
    refused(
      "S-22",
      "a release of two packages by a key of only one",
      "WRONG_KEY",
      both,
      [alice, bob],
      [widgetClaim, gadgetOfDave],
      "S-4",
    ),
    refused(
      "S-22",
      "a release of two packages, enough for neither alone",
      "THRESHOLD",
      both,
      [bob],
      [widgetClaim, gadgetOfDave],
    ),
    refused(
      "S-4",
      "a release with a foreign signature beside enough good ones",
      "WRONG_KEY",
      release(),
      [alice, bob, dave],
      after,
    ),
    refused(
      "S-24",
      "a release by a holder and a recovery key",
      "WRONG_KEY",
      release(),
      [alice, safe],
      withRecovery,
      "S-4",
    ),
    refused(
      "S-24",
      "a release with a recovery key beside enough good ones",
      "WRONG_KEY",
      release(),
      [alice, bob, safe],
      withRecovery,
      "S-4",
    ),
  ];
}

function demands(): StatementCase[] {
  const verified = claim({ userVerification: true });
  const bound = claim({ deviceBound: true });
  const afterVerified = [sign(verified, THREE, { flags: 0x05 })];
  const afterBound = [sign(bound, THREE)];
  return [
    admitted("K-12", "a release, verified as asked", release(), [alice, bob], afterVerified, { flags: 0x05 }),
    refused("K-12", "a release, not verified", "NO_USER_VERIFICATION", release(), [alice, bob], afterVerified),
    refused("K-12", "a claim, not verified", "NO_USER_VERIFICATION", verified, THREE),
    refused(
      "K-13",
      "a release by passkeys, though hardware is asked for",
      "NOT_DEVICE_BOUND",
      release(),
      [bob, carol],
      afterBound,
      "K-13",
      { flags: 0x19 },
    ),
    refused("K-13", "a claim by passkeys, though hardware is asked for", "NOT_DEVICE_BOUND", bound, THREE, [], "K-13", {
      flags: 0x09,
    }),
    admitted("K-13", "a release by passkeys, where they are allowed", release(), [bob, carol], [widgetClaim], {
      flags: 0x19,
    }),
  ];
}

function envelopes(): StatementCase[] {
  const text = sign(release(), [alice, bob]);
  const { payload, payloadType, signatures: made } = JSON.parse(text) as EnvelopeText;
  const [first, second] = [made[0]!, made[1]!];
  const many = Array.from({ length: 65 }, () => first);
  const offer = (rule: string, name: string, value: object, code = "MALFORMED", by = rule): StatementCase =>
    raw(rule, name, JSON.stringify(value), code, by);
  return [
    raw("S-1", "an envelope laid out for reading", JSON.stringify(JSON.parse(text), null, 1), "MALFORMED", "S-1"),
    raw("S-1", "an envelope with a line feed", `${text}\n`, "MALFORMED", "S-1"),
    offer("C-15", "65 signatures", { payload, payloadType, signatures: many }, "TOO_LARGE"),
    offer("S-1", "the fields in another order", { payloadType, payload, signatures: made }),
    offer("S-1", "another field", { payload, payloadType, signatures: made, note: "" }),
    offer("S-1", "no signatures", { payload, payloadType }),
    offer("S-1", "signatures that are no list", { payload, payloadType, signatures: first }),
    offer("S-1", "another payload type", { payload, payloadType: "application/json", signatures: made }),
    offer("S-1", "a payload that is null", { payload: null, payloadType, signatures: made }),
    offer("S-1", "a payload without padding", { payload: "eyJ9IA", payloadType, signatures: [] }, "MALFORMED", "C-2"),
    offer("S-1", "a signature with another field", { payload, payloadType, signatures: [{ ...first, note: "" }] }),
    offer("S-3", "a keyid of another form", { payload, payloadType, signatures: [{ ...first, keyid: "alice" }] }),
    offer("S-3", "the keyid of another key", { payload, payloadType, signatures: [{ ...first, keyid: second.keyid }] }),
    offer("S-3", "signatures unsorted", { payload, payloadType, signatures: [second, first] }),
    offer("S-3", "a signature twice", { payload, payloadType, signatures: [first, first] }),
  ];
}

function signatures(): StatementCase[] {
  const payload = Buffer.from(JSON.stringify(release()));
  const good = JSON.parse(sign(release(), [alice, bob])) as EnvelopeText;
  const other = Buffer.from(JSON.stringify(release([`${WIDGET}@1.0.1`]))).toString("base64");
  const spaced = Buffer.from(JSON.stringify(release(), null, 1)).toString("base64");
  const refusedAs = (rule: string, name: string, envelope: string): StatementCase =>
    raw(rule, name, envelope, "BAD_SIGNATURE", "K-8");
  return [
    ...["Ed25519", "ECDSA", "browser"].map((kind, at) =>
      refusedAs(
        "S-4",
        `a bad signature (${kind}) beside enough good ones`,
        pack(payload, THREE, { broken: THREE[at]! }),
      ),
    ),
    refusedAs("S-2", "another payload under these signatures", JSON.stringify({ ...good, payload: other })),
    refusedAs("S-2", "the payload laid out anew", JSON.stringify({ ...good, payload: spaced })),
    refusedAs("S-2", "signatures over the payload itself", pack(payload, [alice, bob], { message: payload })),
  ];
}

function admitted(
  rule: string,
  name: string,
  value: JsonObject,
  signers: SoftKey[],
  after: string[] = [],
  how: SoftSignOptions = {},
): StatementCase {
  return {
    rule,
    name,
    origin: LOG,
    after,
    envelope: sign(value, signers, how),
    ...digests(value),
    signers: signers.map(({ fingerprint }) => fingerprint).toSorted(),
    error: null,
  };
}

/** `by` is the rule that refuses, where it isn't the one that the case is about. */
function refused(
  rule: string,
  name: string,
  code: string,
  value: JsonObject,
  signers: SoftKey[],
  after: string[] = [],
  by = rule,
  how: SoftSignOptions = {},
): StatementCase {
  return { ...raw(rule, name, sign(value, signers, how), code, by), after };
}

function raw(rule: string, name: string, envelope: string, code: string, by: string): StatementCase {
  const error = { code, rule: by };
  return {
    rule,
    name,
    origin: LOG,
    after: [widgetClaim],
    envelope,
    digest: null,
    authorityDigest: null,
    signers: null,
    error,
  };
}

interface EnvelopeText {
  payload: string;
  payloadType: string;
  signatures: { keyid: string; sig: string }[];
}

interface Packing extends SoftSignOptions {
  /** What is signed, if not the payload in DSSE's encoding. */
  message?: Buffer;
  /** Whose signature is spoilt: its counter is changed afterwards. */
  broken?: SoftKey;
}

function sign(value: JsonObject, signers: SoftKey[], how: SoftSignOptions = {}): string {
  return pack(Buffer.from(JSON.stringify(value)), signers, how);
}

function pack(payload: Buffer, signers: SoftKey[], how: Packing): string {
  const digest = hash("sha512", how.message ?? dsse(payload), "buffer");
  const tbs = Buffer.concat([Buffer.from("SSHSIG"), writeStrings("touchmark", "", "sha512", digest)]);
  const made = signers
    .toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
    .map((key) => {
      const blob = writeBlob(key.signBytes(tbs, how), key === how.broken ? { counter: 7 } : {});
      return { keyid: key.fingerprint, sig: blob.toString("base64") };
    });
  const payloadType = "application/vnd.in-toto+json";
  return JSON.stringify({ payload: payload.toString("base64"), payloadType, signatures: made });
}

function dsse(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${payload.length} `), payload]);
}

function byKey(a: { holder: string; key: string }, b: { holder: string; key: string }): number {
  return `${a.holder} ${a.key}` < `${b.holder} ${b.key}` ? -1 : 1;
}
