import { hash } from "node:crypto";
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
  type Parts,
  release,
  safe,
  WIDGET,
} from "./payload-parts.ts";
import { changed } from "./payloads.ts";
import { writeBlob } from "./ssh-blob.ts";

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
  const elsewhere = changed(claim(), (copy) => (copy.predicate.logs = ["other.example"]));
  const followed = changed(claim(), (copy) => (copy.predicate.packages[WIDGET].previous = "00".repeat(32)));
  const rival = claim({ keys: [held("dave", dave)], releaseThreshold: 1, changeThreshold: 1 });
  return [
    admitted("S-16", "a claim by all of its keys", claim(), THREE),
    admitted("S-11", "a claim of two packages", claim({}, [GADGET, WIDGET]), THREE),
    admitted("S-16", "a claim by all of its keys, recovery too", claim(recovery), [...THREE, safe]),
    admitted(
      "S-8",
      "a claim for two logs",
      changed(claim(), (copy) => copy.predicate.logs.push("other.example")),
      THREE,
    ),
    refused("S-8", "a claim for another log", "WRONG_LOG", elsewhere, THREE),
    refused("S-16", "a claim without one key", "MISSING_POSSESSION", claim(), [alice, bob]),
    refused("S-16", "a claim without signatures", "MISSING_POSSESSION", claim(), []),
    refused("S-16", "a claim without its recovery key", "MISSING_POSSESSION", claim(recovery), THREE),
    refused("S-4", "a claim with a foreign signature", "WRONG_KEY", claim(), [...THREE, dave]),
    refused("S-17", "a claim after an entry that isn't there", "WRONG_PREVIOUS", followed, THREE),
    refused("S-21", "a second claim, by others", "ALREADY_CLAIMED", rival, [dave], [widgetClaim]),
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
  const elsewhere = changed(release(), (copy) => (copy.predicate.logs = ["other.example"]));
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
  const { payload, payloadType, signatures: made } = JSON.parse(text) as Parts;
  const text65 = JSON.stringify({ payload, payloadType, signatures: Array.from({ length: 65 }, () => made[0]) });
  const offer = (rule: string, name: string, value: unknown, code = "MALFORMED", by = rule): StatementCase =>
    raw(rule, name, typeof value === "string" ? value : JSON.stringify(value), code, by);
  const crossed = [{ ...made[0], keyid: made[1].keyid }, made[1]];
  return [
    offer("C-5", "an envelope laid out for reading", JSON.stringify(JSON.parse(text), null, 1)),
    offer("C-5", "an envelope with a line feed", `${text}\n`),
    offer(
      "C-15",
      "an envelope of more than 256 KiB",
      { payload: "A".repeat(256 * 1024), payloadType, signatures: [] },
      "TOO_LARGE",
    ),
    offer(
      "C-15",
      "a statement of more than 160 KiB",
      { payload: "AAAA".repeat(54_614), payloadType, signatures: [] },
      "TOO_LARGE",
    ),
    offer("C-15", "65 signatures", text65, "TOO_LARGE"),
    offer("S-1", "the fields in another order", { payloadType, payload, signatures: made }),
    offer("S-1", "another field", { payload, payloadType, signatures: made, note: "" }),
    offer("S-1", "no signatures", { payload, payloadType }),
    offer("S-1", "signatures that are no list", { payload, payloadType, signatures: made[0] }),
    offer("S-1", "another payload type", { payload, payloadType: "application/json", signatures: made }),
    offer("S-1", "a payload that is null", { payload: null, payloadType, signatures: made }),
    offer("S-1", "a payload without padding", { payload: "eyJ9IA", payloadType, signatures: [] }, "MALFORMED", "C-2"),
    offer("S-1", "a signature with another field", { payload, payloadType, signatures: [{ ...made[0], note: "" }] }),
    offer("S-3", "a keyid of another form", { payload, payloadType, signatures: [{ ...made[0], keyid: "alice" }] }),
    offer("S-3", "the keyid of another key", { payload, payloadType, signatures: crossed }, "MALFORMED"),
    offer("S-3", "signatures unsorted", { payload, payloadType, signatures: made.toReversed() }),
    offer("S-3", "a signature twice", { payload, payloadType, signatures: [made[0], made[0]] }),
  ];
}

function signatures(): StatementCase[] {
  const good = JSON.parse(sign(release(), [alice, bob, carol])) as Parts;
  const broken = good.signatures.map((_: unknown, at: number) =>
    changed(good, (copy) => {
      const sig = Buffer.from(copy.signatures[at].sig, "base64");
      const place = sig.length - 100 > 300 ? 240 : sig.length - 30;
      sig[place]! ^= 1;
      copy.signatures[at].sig = sig.toString("base64");
    }),
  );
  const other = JSON.parse(sign(release([`${WIDGET}@1.0.1`]), [alice, bob])) as Parts;
  const stolen = changed(other, (copy) => (copy.payload = good.payload));
  const spaced = Buffer.from(JSON.stringify(release(), null, 1)).toString("base64");
  const respelt = changed(good, (copy) => (copy.payload = spaced));
  const bare = pack(Buffer.from(JSON.stringify(release())), [alice, bob], (payload) => payload);
  return [
    ...broken.map((value: Parts, at: number) => {
      const { keyid } = value.signatures[at];
      const code = keyid === carol.fingerprint ? "WRONG_CHALLENGE" : "BAD_SIGNATURE";
      return raw(
        "S-4",
        `a bad signature (${at + 1} of 3) beside enough good ones`,
        JSON.stringify(value),
        code,
        code === "BAD_SIGNATURE" ? "K-8" : "K-9",
      );
    }),
    raw("S-2", "the payload of another release under these signatures", JSON.stringify(stolen), "BAD_SIGNATURE", "K-8"),
    raw("S-2", "the payload written anew", JSON.stringify(respelt), "BAD_SIGNATURE", "K-8"),
    raw("S-2", "signatures over the payload without the encoding of DSSE", bare, "BAD_SIGNATURE", "K-8"),
  ];
}

function admitted(
  rule: string,
  name: string,
  value: Parts,
  signers: SoftKey[],
  after: string[] = [],
  how: SoftSignOptions = {},
): StatementCase {
  const { authority } = value.predicate;
  return {
    rule,
    name,
    origin: LOG,
    after,
    envelope: sign(value, signers, how),
    digest: hash("sha256", JSON.stringify(value)),
    authorityDigest: authority === undefined ? null : `sha256:${hash("sha256", JSON.stringify(authority))}`,
    signers: signers.map(({ fingerprint }) => fingerprint).toSorted(),
    error: null,
  };
}

/** `by` is the rule that refuses, where it isn't the one that the case is about. */
function refused(
  rule: string,
  name: string,
  code: string,
  value: Parts,
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

function sign(value: Parts, signers: SoftKey[], how: SoftSignOptions = {}): string {
  return pack(Buffer.from(JSON.stringify(value)), signers, dsse, how);
}

function pack(
  payload: Buffer,
  signers: SoftKey[],
  encode: (payload: Buffer) => Buffer,
  how: SoftSignOptions = {},
): string {
  const digest = hash("sha512", encode(payload), "buffer");
  const head = Buffer.from("SSHSIG\0\0\0\x09touchmark\0\0\0\0\0\0\0\x06sha512\0\0\0\x40", "latin1");
  const tbs = Buffer.concat([head, digest]);
  const made = signers
    .toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
    .map((key) => ({ keyid: key.fingerprint, sig: writeBlob(key.signBytes(tbs, how)).toString("base64") }));
  return JSON.stringify({
    payload: payload.toString("base64"),
    payloadType: "application/vnd.in-toto+json",
    signatures: made,
  });
}

function dsse(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${payload.length} `), payload]);
}

function byKey(a: { holder: string; key: string }, b: { holder: string; key: string }): number {
  return `${a.holder} ${a.key}` < `${b.holder} ${b.key}` ? -1 : 1;
}
