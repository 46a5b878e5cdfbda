// Bundles of evidence, honest and forged, and what a consumer says of a version by chapters 05 and 06: each verdict is told here beforehand.
import { hash } from "node:crypto";
import { encodeUtf8 } from "@touchmark/core";
import {
  COSIGNATURE_ED25519,
  type Cosigner,
  cosigner,
  encodeEvidence,
  encodeNote,
  encodeVerifierKey,
  type Evidence,
  noteSigner,
  parseEntry,
  encodeEntry,
  parseNote,
  signCheckpoint,
} from "@touchmark/log";
import { type ForgedLog, forgedLog } from "../support/forged-log.ts";
import { authority, claimPayload, digestOf, releasePayload, signedBy } from "../support/people.ts";
import {
  alice,
  aliceBackup,
  BAD,
  bob,
  carol,
  claimWidget,
  EARLIER,
  GOOD,
  NOW,
  thief,
  WIDGET,
} from "../support/widget.ts";

/** `reasons`: code and step of each, in order. */
export interface VerificationCase {
  name: string;
  /** `touchmark.json`. */
  policy: object;
  /** The bundle's text. */
  bundle: string;
  /** Notes of checkpoints that were seen before. */
  seen: string[];
  /** The pins of `touchmark.lock` by package id. */
  pins: Record<string, { authority: string; epoch: number; entry: number; proof: string[] }>;
  now: number;
  candidate: { packageId: string; version: string; sha512: string; tarSha512?: string };
  verdict: { status: string; basis: string | null; signers: string[]; reasons: [code: string, step: string][] };
}

type Wish = Partial<Omit<VerificationCase, "name" | "verdict" | "bundle" | "policy" | "candidate">> & {
  log?: ForgedLog;
  /** Changes the bundle, or its text. */
  tamper?: (bundle: Evidence) => Evidence;
  edit?: (text: string) => string;
  rule?: object;
  policy?: object;
  quorum?: string[];
  version?: string;
  sha512?: string;
  tarSha512?: string;
  asked?: string[];
  earlier?: Parameters<ForgedLog["evidence"]>[1];
};

const OLD = digestOf("old bytes");
const [w1, w2] = ["w1.example", "w2.example"].map((name) =>
  cosigner(name, Buffer.alloc(32, name), COSIGNATURE_ED25519),
) as [Cosigner, Cosigner];
const QUORUM = [
  `witness W1 ${encodeVerifierKey(w1.key)}`,
  `witness W2 ${encodeVerifierKey(w2.key)}`,
  "group both all W1 W2",
  "quorum both",
];

export function verificationCases(): VerificationCase[] {
  const [log, digest] = signedLog();
  const pinned = { authority: digest };
  const pin = (more: object = {}): VerificationCase["pins"] => ({
    [WIDGET]: { authority: digest, epoch: 1, entry: 1, proof: [], ...more },
  });
  const other = `sha256:${"cd".repeat(32)}`;
  const told = (name: string, verdict: VerificationCase["verdict"], wish: Wish = {}): VerificationCase => {
    const {
      log: shown = log,
      tamper = (bundle) => bundle,
      edit = (text) => text,
      rule = pinned,
      quorum,
      asked = [WIDGET],
      earlier = {},
    } = wish;
    const { version = "1.0.0", sha512 = GOOD, tarSha512, seen = [], pins = {}, now = NOW } = wish;
    const key = encodeVerifierKey(log.signer.key);
    const policy = {
      version: 1,
      registries: { npmjs: ["https://registry.example/"] },
      log: { url: "https://log.example/", origin: log.origin, key, ...(quorum && { quorum }) },
      packages: { widget: rule },
      ...wish.policy,
    };
    const bundle = edit(encodeEvidence(tamper(shown.evidence(asked, earlier))));
    const candidate = { packageId: WIDGET, version, sha512, ...(tarSha512 && { tarSha512 }) };
    return { name, policy, bundle, seen, pins, now, candidate, verdict };
  };
  const release = (wish?: Wish): VerificationCase =>
    told(
      "a release by two of three holders",
      { status: "accepted", basis: "release", signers: ["alice", "bob"], reasons: [] },
      wish,
    );
  const unchecked = (name: string, code: string, step: string, wish: Wish): VerificationCase =>
    told(name, { status: "unchecked", basis: null, signers: [], reasons: [[code, step]] }, wish);
  const rejected = (name: string, code: string, step: string, wish: Wish): VerificationCase =>
    told(name, { status: "rejected", basis: null, signers: [], reasons: [[code, step]] }, wish);
  const accepted = (
    name: string,
    basis: string,
    wish: Wish,
    signers: string[] = [],
    reasons: [string, string][] = [],
  ): VerificationCase => told(name, { status: "accepted", basis, signers, reasons }, wish);
  const malformed = (name: string, from: string | RegExp, to: string): VerificationCase =>
    unchecked(name, "EVIDENCE_MALFORMED", "V-1", { edit: (text) => replaced(text, from, to) });
  const forged = (name: string, step: string, code: string, make: (log: ForgedLog) => void): VerificationCase => {
    const cheating = forgedLog();
    claimWidget(cheating);
    make(cheating);
    return rejected(name, code, step, { log: cheating });
  };
  const cosigned =
    (...by: [Cosigner, number][]): Wish["tamper"] =>
    (bundle) =>
      withLines(bundle, (text) => by.map(([one, time]) => one.cosign(text, time)));
  const good = releasePayload(`${WIDGET}@1.0.0`, GOOD);
  const later = signedLog(60)[0];
  const checkpoint = log.evidence([]).checkpoint;
  return [
    release(),
    accepted("an earlier version that the claim lists", "earlier", { version: "0.9.0", sha512: OLD, earlier: EARLIER }),
    accepted("a package that is proved unclaimed", "unclaimed", { log: emptyLog(), rule: {} }),
    accepted(
      "a claim that no policy pins and that waits",
      "unclaimed",
      { rule: {}, version: "1.0.1" },
      [],
      [["CLAIM_PENDING", "V-12"]],
    ),
    accepted("with the pin of touchmark.lock", "release", { pins: pin() }, ["alice", "bob"]),
    accepted("the checkpoint seen before", "release", { seen: [checkpoint] }, ["alice", "bob"]),
    accepted("a quorum", "release", { quorum: QUORUM, tamper: cosigned([w1, NOW], [w2, NOW - 5])! }, ["alice", "bob"]),

    malformed("another format", "/v1", "/v2"),
    malformed("a member too many", '"epoch":', '"more":1,\n"epoch":'),
    malformed("members in another order", /("epoch":.*,\n)([\s\S]*)("logProof":.*,\n)/, "$3$2$1"),
    malformed("a space that does not belong there", '"epoch":', '"epoch": '),
    malformed("no line feed at the end", /\n$/, ""),
    malformed("entries that do not ascend", /("1":".*"),\n("3":".*")/, "$2,\n$1"),
    malformed("an index with a leading zero", '\n"1":"', '\n"01":"'),
    malformed("base64 with its last bits set", /("epoch":"[^"]*)g==/, "$1h=="),
    unchecked("an envelope that no entry names", "EVIDENCE_MALFORMED", "V-1", {
      tamper: (bundle) => ({ ...bundle, envelopes: new Map([...bundle.envelopes, [digest256('{"a":1}'), '{"a":1}']]) }),
    }),
    unchecked("signed by another key", "CHECKPOINT_BAD", "V-2", {
      tamper: (bundle) => ({ ...bundle, checkpoint: resigned(bundle, log.origin, 9) }),
    }),
    unchecked("the checkpoint of another log", "CHECKPOINT_BAD", "V-2", {
      tamper: (bundle) => ({ ...bundle, checkpoint: resigned(bundle, "log.example/other", 7) }),
    }),
    unchecked("an entry that was changed", "PROOF_BAD", "V-3", {
      tamper: (bundle) => ({
        ...bundle,
        entries: new Map(
          [...bundle.entries].map(([index, bytes]) => [
            index,
            index === 3 ? encodeEntry({ ...parseEntry(bytes), time: NOW }) : bytes,
          ]),
        ),
      }),
    }),
    unchecked("an entry left out of the bundle", "PROOF_BAD", "V-3", {
      tamper: (bundle) => ({
        ...bundle,
        entries: new Map([...bundle.entries].slice(0, 1)),
        envelopes: new Map([...bundle.envelopes].filter(([, text]) => text.length === 0)),
      }),
    }),
    unchecked("an epoch leaf that is not the last", "PROOF_BAD", "V-3", {
      tamper: (bundle) => ({ ...bundle, epoch: later.evidence([]).epoch }),
    }),
    unchecked("a bucket with one record less", "PROOF_BAD", "V-4", {
      tamper: (bundle) => ({
        ...bundle,
        buckets: new Map([...bundle.buckets].map(([number]) => [number, new Uint8Array(0)])),
      }),
    }),
    unchecked("a bucket of another package", "PROOF_BAD", "V-4", {
      tamper: (bundle) => ({
        ...bundle,
        buckets: new Map([...bundle.buckets].map(([number, bytes]) => [number ^ 1, bytes])),
      }),
    }),
    unchecked("a smaller tree than was seen", "ROLLBACK", "V-5", { seen: [later.evidence([]).checkpoint] }),
    unchecked("another tree of the size that was seen", "FORK", "V-5", {
      seen: [resigned(log.evidence([]), log.origin, 7, "another root")],
    }),
    unchecked("older than seven days", "STALE", "V-6", { now: NOW + 8 * 86_400 }),
    unchecked("ahead of the clock", "STALE", "V-6", { now: NOW - 700 }),
    unchecked("nobody cosigned", "QUORUM", "V-21", { quorum: QUORUM }),
    unchecked("one of two cosigned, twice", "QUORUM", "V-21", {
      quorum: QUORUM,
      tamper: cosigned([w1, NOW], [w1, NOW - 1])!,
    }),
    unchecked("one of them in the future", "QUORUM", "V-21", {
      quorum: QUORUM,
      tamper: cosigned([w1, NOW], [w2, NOW + 601])!,
    }),
    unchecked("a cosignature of another tree", "CHECKPOINT_BAD", "V-21", {
      quorum: QUORUM,
      tamper: (bundle) =>
        withLines(bundle, (text) => [w1.cosign(text, NOW), w2.cosign(text.replace(/\n\d+\n/, "\n99\n"), NOW)]),
    }),
    unchecked("cosignatures older than seven days", "STALE", "V-6", {
      quorum: QUORUM,
      now: NOW + 8 * 86_400,
      tamper: cosigned([w1, NOW + 8 * 86_400], [w2, NOW])!,
    }),

    unchecked("the bundle does not hold the package's bucket", "EVIDENCE_MISSING", "V-9", { asked: [] }),
    unchecked("the claim is not in the bundle", "EVIDENCE_MISSING", "V-10", { log: withholding(1), rule: pinned }),
    unchecked("the claim's envelope is not in the bundle", "EVIDENCE_MISSING", "V-11", {
      rule: {},
      tamper: (bundle) => ({
        ...bundle,
        envelopes: new Map([...bundle.envelopes].filter(([, text]) => !isClaim(text))),
      }),
    }),
    rejected("unclaimed under strict", "NOT_CLAIMED", "V-18", { log: emptyLog(), rule: { level: "strict" } }),
    rejected("unclaimed, and the policy names an authority", "NOT_CLAIMED", "V-13", {
      log: emptyLog(),
      rule: { authority: other },
    }),
    rejected("another authority than the policy's", "AUTHORITY_CHANGED", "V-13", { rule: { authority: other } }),
    rejected("another authority than touchmark.lock's", "AUTHORITY_CHANGED", "V-13", {
      rule: {},
      pins: pin({ authority: other }),
    }),
    rejected("unclaimed, and touchmark.lock knows a claim", "AUTHORITY_CHANGED", "V-13", {
      log: emptyLog(),
      rule: {},
      pins: pin(),
    }),
    rejected("a version that nobody signed", "NOT_SIGNED", "V-18", { version: "1.0.1" }),
    rejected("other bytes than those signed", "WRONG_DIGEST", "V-15", { sha512: BAD }),
    rejected("another tar in the same tarball", "WRONG_DIGEST", "V-15", { tarSha512: BAD }),
    rejected("other bytes than the list of earlier versions has", "WRONG_DIGEST", "V-16", {
      version: "0.9.0",
      sha512: BAD,
      earlier: EARLIER,
    }),
    unchecked("a list of earlier versions that is not the claim's", "PROOF_BAD", "V-16", {
      version: "0.9.0",
      sha512: BAD,
      earlier: { [WIDGET]: { all: [["0.9.0", BAD]], asked: ["0.9.0"] } },
    }),
    forged(
      "a release below the threshold",
      "V-14 S-22",
      "THRESHOLD",
      (cheating) => void cheating.append(signedBy(good, [alice]), NOW - 50),
    ),
    forged(
      "a release by two keys of one holder",
      "V-14 S-22",
      "THRESHOLD",
      (cheating) => void cheating.append(signedBy(good, [alice, aliceBackup]), NOW - 50),
    ),
    forged(
      "a stranger among the signers",
      "V-14 S-4",
      "WRONG_KEY",
      (cheating) => void cheating.append(signedBy(good, [alice, bob, thief]), NOW - 50),
    ),
    forged(
      "a release for another log",
      "V-14 S-8",
      "RULE_BROKEN",
      (cheating) =>
        void cheating.append(
          signedBy(releasePayload(`${WIDGET}@1.0.0`, GOOD, GOOD, ["log.example/other"]), [alice, bob]),
          NOW - 50,
        ),
    ),
    forged(
      "a release that is not in the map",
      "V-11 V-10",
      "RULE_BROKEN",
      (cheating) => void cheating.append(signedBy(good, [alice, bob]), NOW - 50, { omitFromMap: true }),
    ),
    forged("two releases of one version", "V-17", "EQUIVOCATION", (cheating) => {
      cheating.append(signedBy(good, [alice, bob]), NOW - 50);
      cheating.append(signedBy(releasePayload(`${WIDGET}@1.0.0`, BAD), [bob, carol]), NOW - 40);
    }),
    forged(
      "a second claim over the first",
      "V-11 A-3",
      "RULE_BROKEN",
      (cheating) =>
        void cheating.append(
          signedBy(claimPayload({ packages: [WIDGET], authority: authority([thief], 1) }), [thief]),
          NOW - 50,
        ),
    ),
    accepted(
      "an exception for a version that nobody signed",
      "exception",
      { version: "1.0.1", policy: exceptionFor("1.0.1") },
      [],
      [
        ["EXCEPTION_USED", "V-19"],
        ["NOT_SIGNED", "V-18"],
      ],
    ),
    rejected("an exception is none for other bytes", "WRONG_DIGEST", "V-15", {
      sha512: BAD,
      policy: exceptionFor("1.0.0"),
    }),
  ];
}

/** A log in which the widget is claimed and released once, and so many heartbeats later. */
function signedLog(after = 0): [ForgedLog, string] {
  const log = forgedLog();
  const digest = claimWidget(log);
  log.append(signedBy(releasePayload(`${WIDGET}@1.0.0`, GOOD), [alice, bob]), NOW - 50);
  if (after > 0) log.heartbeat(NOW - 50 + after);
  return [log, digest];
}

function emptyLog(): ForgedLog {
  const log = forgedLog();
  log.heartbeat(NOW - 50);
  return log;
}

/** The log, whose bundles lack one entry and are else as they should be. */
function withholding(index: number): ForgedLog {
  const [log] = signedLog();
  return { ...log, evidence: (ids, earlier) => log.evidence(ids, earlier, [index]) };
}

function withLines(bundle: Evidence, make: (text: string) => ReturnType<Cosigner["cosign"]>[]): Evidence {
  const { text, signatures } = parseNote(encodeUtf8(bundle.checkpoint));
  return { ...bundle, checkpoint: encodeNote({ text, signatures: [...signatures, ...make(text)] }) };
}

/** The bundle's tree under another signature, or another root of that size. */
function resigned({ checkpoint }: Evidence, origin: string, seed: number, root?: string): string {
  const [, size, base64] = checkpoint.split("\n");
  const signer = noteSigner(origin, Buffer.alloc(32, seed));
  const bytes = root === undefined ? Buffer.from(base64!, "base64") : Buffer.from(digest256(root), "hex");
  return signCheckpoint({ origin, size: Number(size), root: bytes }, signer);
}

function isClaim(envelope: string): boolean {
  const { payload } = JSON.parse(envelope) as { payload: string };
  return Buffer.from(payload, "base64").toString().includes("claim");
}

function exceptionFor(version: string): object {
  return { exceptions: [{ package: `${WIDGET}@${version}`, reason: "testing", author: "alice", until: "2027-01-20" }] };
}

function digest256(text: string): string {
  return hash("sha256", text, "hex");
}

function replaced(text: string, from: string | RegExp, to: string): string {
  const edited = text.replace(from, to);
  if (edited === text) throw new Error(`There is no ${String(from)} to replace.`);
  return edited;
}
