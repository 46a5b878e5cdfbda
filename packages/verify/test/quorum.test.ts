import {
  COSIGNATURE_ED25519,
  COSIGNATURE_ML_DSA_44,
  type Cosigner,
  cosigner,
  encodeNote,
  encodeVerifierKey,
  type Evidence,
  noteSigner,
  parseNote,
} from "@touchmark/log";
import { beforeEach, describe, expect, test } from "vitest";
import { trustEvidence, type TrustedEvidence } from "../src/evidence/trust-evidence.ts";
import { parsePolicy, type Policy } from "../src/policy/policy.ts";
import { type ForgedLog, forgedLog } from "./support/forged-log.ts";
import { claimWidget, NOW, policyOf, WIDGET } from "./support/widget.ts";

const DAY = 86_400;
const witness = (name: string, seed: number, type: 4 | 6 = COSIGNATURE_ED25519): Cosigner =>
  cosigner(name, Buffer.alloc(32, seed), type);
const [w1, w2, w3] = [
  witness("w1.example", 1),
  witness("w2.example", 2),
  witness("w3.example", 3, COSIGNATURE_ML_DSA_44),
];
const lines = (quorum: string, ...witnesses: Cosigner[]): string[] => [
  ...witnesses.map(({ key }, i) => `witness W${i + 1} ${encodeVerifierKey(key)}`),
  ...quorum.split("\n"),
];
const TWO_OF_THREE = lines("group g 2 W1 W2 W3\nquorum g", w1, w2, w3);

let log: ForgedLog;
let bundle: Evidence;
beforeEach(() => {
  log = forgedLog();
  claimWidget(log);
  bundle = log.evidence([WIDGET]);
});

function withQuorum(quorum: unknown, more: object = {}): Policy {
  const { origin, key } = { origin: log.origin, key: encodeVerifierKey(log.signer.key) };
  return policyOf(log, {}, { log: { url: "https://log.example/", origin, key, quorum }, ...more });
}

/** The bundle with these cosignatures on its checkpoint. */
function cosigned(...by: [Cosigner, number][]): Evidence {
  const { text, signatures } = parseNote(Buffer.from(bundle.checkpoint));
  const added = by.map(([one, time]) => one.cosign(text, time));
  return { ...bundle, checkpoint: encodeNote({ text, signatures: [...signatures, ...added] }) };
}

function trust(policy: Policy, evidence: Evidence, now: number = NOW): Promise<TrustedEvidence> {
  return trustEvidence(evidence, { policy, now, seen: [], log: null });
}

describe("[V-21] the quorum that a policy names", () => {
  test("two of three, by Ed25519 and ML-DSA-44", async () => {
    const policy = withQuorum(TWO_OF_THREE);
    expect(await trust(policy, cosigned([w1, NOW], [w3, NOW]))).toMatchObject({ ok: true, warnings: [] });
    expect(await trust(policy, cosigned([w2, NOW], [w1, NOW], [w3, NOW]))).toMatchObject({ ok: true });
  });

  test("[L5] two by one witness, by an unknown key, in the future, of no time, over another origin: not counted", async () => {
    const policy = withQuorum(TWO_OF_THREE);
    const stranger = witness("w2.example", 9);
    for (const evidence of [
      bundle,
      cosigned([w1, NOW]),
      cosigned([w1, NOW], [w1, NOW - 1], [w1, NOW - 2]),
      cosigned([w1, NOW], [stranger, NOW]),
      cosigned([w1, NOW], [w2, NOW + 601]),
      cosigned([w1, NOW], [w3, 0]),
    ]) {
      expect(await trust(policy, evidence)).toMatchObject({ ok: false, reason: { code: "QUORUM", step: "V-21" } });
    }
    const { text, signatures } = parseNote(Buffer.from(bundle.checkpoint));
    const elsewhere = w2.cosign(text.replace(log.origin, "log.example/other"), NOW);
    const foreign = encodeNote({ text, signatures: [...signatures, w1.cosign(text, NOW), elsewhere] });
    expect(await trust(policy, { ...bundle, checkpoint: foreign })).toMatchObject({
      ok: false,
      reason: { code: "CHECKPOINT_BAD", step: "V-21" },
    });
  });

  test("the reason says who cosigned, who did not, and whose time is wrong", async () => {
    const outcome = await trust(withQuorum(TWO_OF_THREE), cosigned([w1, NOW], [w2, NOW + 5000]));
    expect(outcome).toHaveProperty(
      "reason.message",
      expect.stringMatching(/cosigned by W1; the time of W2 is .* without W2, W3\./),
    );
  });

  test("[L1] of two histories of one size neither has a quorum, and who saw both keeps both notes", async () => {
    const policy = withQuorum(TWO_OF_THREE);
    const good = await trust(policy, cosigned([w1, NOW], [w2, NOW]));
    const seen = good.ok ? [good.evidence.checkpoint] : [];
    const other = forgedLog();
    other.heartbeat(NOW - 60);
    other.heartbeat(NOW - 55);
    const fork = other.evidence([]);
    const outcome = await trustEvidence(fork, { policy, now: NOW, seen, log: null });
    expect(outcome).toMatchObject({ ok: false, reason: { code: "FORK", step: "V-5" } });
    expect(outcome).toHaveProperty("fork.older", seen[0]!.note);
    expect(await trust(policy, fork)).toMatchObject({ ok: false, reason: { code: "QUORUM" } });
  });

  test("without log.quorum, or with quorum none, nothing is demanded", async () => {
    for (const quorum of [undefined, ["quorum none"], lines("quorum none", w1)]) {
      const policy = withQuorum(quorum);
      expect(policy.log.quorum).toBeNull();
      expect(await trust(policy, bundle)).toMatchObject({ ok: true });
    }
  });
});

describe("[V-6] freshness by quorum time", () => {
  test("[I11] old cosignatures are stale offline, however many there are; the second newest of two counts", async () => {
    const policy = withQuorum(TWO_OF_THREE);
    const at = NOW + 20 * DAY;
    expect(await trust(policy, cosigned([w1, at], [w2, at - 8 * DAY]), at)).toMatchObject({
      ok: false,
      reason: {
        code: "STALE",
        step: "V-6",
        message: expect.stringMatching(/witnesses have cosigned nothing newer than 192 hours/) as unknown,
      },
    });
    expect(await trust(policy, cosigned([w1, at], [w2, at - 6 * DAY]), at)).toMatchObject({ ok: true, warnings: [] });
  });

  test("a log that stood still is fresh while its witnesses say so, and without them it is not", async () => {
    const at = NOW + 20 * DAY;
    const evidence = cosigned([w1, at - 60], [w2, at - 30]);
    expect(await trust(withQuorum(TWO_OF_THREE), evidence, at)).toMatchObject({ ok: true, warnings: [] });
    expect(await trust(withQuorum(undefined), evidence, at)).toMatchObject({ ok: false, reason: { code: "STALE" } });
  });

  test("online it is a warning", async () => {
    const policy = withQuorum(TWO_OF_THREE);
    const fetch = (): Promise<Response> => Promise.reject(new Error("not asked"));
    const endpoint = { url: "https://log.example/", key: policy.log.key, fetch };
    const now = NOW + 2 * DAY;
    const outcome = await trustEvidence(cosigned([w1, NOW], [w2, NOW]), { policy, now, seen: [], log: endpoint });
    expect(outcome).toMatchObject({ ok: true, warnings: [{ code: "STALE" }] });
  });

  test("a log whose epoch leaf is ahead of the clock is not believed, whoever cosigned it", async () => {
    const at = NOW - 100 - 601;
    const outcome = await trust(withQuorum(TWO_OF_THREE), cosigned([w1, at], [w2, at]), at);
    expect(outcome).toMatchObject({
      ok: false,
      reason: { code: "STALE", message: expect.stringMatching(/ahead/) as unknown },
    });
  });
});

describe("[P-10] to [P-12] log.quorum", () => {
  test.each([
    ["no list", "quorum none", /log\.quorum is not a list of lines/],
    ["a number in it", [1], /not a list of lines/],
    ["two lines in one", ["quorum none\nquorum none"], /not a list of lines/],
    ["a wrong line", ["witness W1"], /log\.quorum: Line 1 of the policy of witnesses: a witness has/],
    ["no quorum", lines("# nothing", w1), /log\.quorum: The policy of witnesses has no quorum line/],
    [
      "a log line",
      [`log ${encodeVerifierKey(noteSigner("l", Buffer.alloc(32)).key)}`, "quorum none"],
      /has a log line/,
    ],
    ["too much", Array.from({ length: 9000 }, () => `#${"x".repeat(60)}`), /too long/],
  ])("%s", (_, quorum, message) => {
    expect(() => withQuorum(quorum)).toThrow(
      expect.objectContaining({ code: "POLICY_MALFORMED", message: expect.stringMatching(message) as unknown }),
    );
  });

  test("the log's key cannot be a cosigner's", () => {
    const document = {
      version: 1,
      registries: { npmjs: ["https://r.example/"] },
      log: { url: "https://l.example/", origin: "w1.example", key: encodeVerifierKey(w1.key) },
    };
    expect(() => parsePolicy(Buffer.from(JSON.stringify(document)), NOW)).toThrow(/cosigner's key/);
  });
});
