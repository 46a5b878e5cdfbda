import { encodeUtf8, type Verdict } from "@touchmark/core";
import { encodeEvidence, type Evidence, LogError, noteSigner, parseEvidence } from "@touchmark/log";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { packageChecker } from "../src/evidence/check-package.ts";
import { openEvidence } from "../src/evidence/open-evidence.ts";
import { trustEvidence } from "../src/evidence/trust-evidence.ts";
import { type ForgedLog, forgedLog } from "./support/forged-log.ts";
import { authority, claimPayload, releasePayload, signedBy } from "./support/people.ts";
import { alice, bob, claimWidget, EARLIER, GOOD, NOW, policyOf, thief, WIDGET } from "./support/widget.ts";

let log: ForgedLog;

beforeEach(() => {
  log = forgedLog();
});

describe("[V-1] to [V-6] the bundle as a whole", () => {
  function signedWidget(): { rules: object; bundle: Evidence } {
    const digest = claimWidget(log);
    log.append(signedBy(releasePayload(`${WIDGET}@1.0.0`, GOOD), [alice, bob]), NOW - 50);
    return { rules: { widget: { authority: digest } }, bundle: log.evidence([WIDGET], EARLIER) };
  }

  test("one flipped bit anywhere in a bundle is never accepted", () => {
    const { rules, bundle } = signedWidget();
    const bytes = encodeUtf8(encodeEvidence(bundle));
    const trusted = policyOf(log, rules);
    const judge = (mutated: Uint8Array): Verdict => {
      const checker = packageChecker(trusted, new Map(), openEvidence(parseEvidence(mutated), trusted.log.key));
      return checker.check({ packageId: WIDGET, version: "1.0.0", sha512: GOOD });
    };
    expect(judge(bytes).status).toBe("accepted");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const mutated = Uint8Array.from(bytes);
        mutated[at]! ^= 1 << bit;
        let outcome: string;
        try {
          outcome = judge(mutated).status;
        } catch (error) {
          expect(error).toBeInstanceOf(LogError);
          outcome = "refused";
        }
        expect(outcome).not.toBe("accepted");
      }),
      { numRuns: 1500, seed: 1 },
    );
  });

  test("[V-2] a checkpoint by another key", async () => {
    const { rules, bundle } = signedWidget();
    const { key } = noteSigner(log.origin, Buffer.alloc(32, 9));
    const trusted = {
      ...policyOf(log, rules),
      log: { url: "https://log.example/", origin: log.origin, key, quorum: null },
    };
    const outcome = await trustEvidence(bundle, { policy: trusted, now: NOW, seen: [], log: null });
    expect(outcome).toMatchObject({ ok: false, reason: { code: "CHECKPOINT_BAD", step: "V-2" } });
  });

  test("[V-5] an older tree than the one seen is a rollback, two trees of one size are a fork", async () => {
    const { rules, bundle } = signedWidget();
    const trusted = policyOf(log, rules);
    const before = openEvidence(bundle, trusted.log.key).checkpoint;
    log.heartbeat(NOW);
    const later = openEvidence(log.evidence([WIDGET]), trusted.log.key).checkpoint;
    const seen = { policy: trusted, now: NOW, log: null };
    expect(await trustEvidence(bundle, { ...seen, seen: [later] })).toMatchObject({
      ok: false,
      reason: { code: "ROLLBACK", step: "V-5" },
    });
    expect(await trustEvidence(bundle, { ...seen, seen: [before] })).toMatchObject({ ok: true });
    log = forgedLog();
    log.append(signedBy(claimPayload({ packages: [WIDGET], authority: authority([thief], 1) }), [thief]), NOW - 100);
    log.heartbeat(NOW - 10);
    log.heartbeat(NOW - 5);
    const fork = await trustEvidence(log.evidence([WIDGET]), { ...seen, seen: [before] });
    expect(fork).toMatchObject({ ok: false, reason: { code: "FORK", step: "V-5" } });
    expect(fork).toHaveProperty("fork.older", before.note);
  });

  test("[V-6] stale is fatal offline and a warning online; a log ahead of the clock is fatal", async () => {
    const { rules, bundle } = signedWidget();
    const trusted = policyOf(log, rules);
    const offline = (now: number): Promise<unknown> =>
      trustEvidence(bundle, { policy: trusted, now, seen: [], log: null });
    expect(await offline(NOW + 6 * 86_400)).toMatchObject({ ok: true, warnings: [] });
    expect(await offline(NOW + 8 * 86_400)).toMatchObject({ ok: false, reason: { code: "STALE", step: "V-6" } });
    expect(await offline(NOW - 50 - 700)).toMatchObject({ ok: false, reason: { code: "STALE", step: "V-6" } });
    const endpoint = {
      url: "https://log.example/",
      key: trusted.log.key,
      fetch: () => Promise.reject(new Error("not asked")),
    };
    const online = await trustEvidence(bundle, { policy: trusted, now: NOW + 2 * 86_400, seen: [], log: endpoint });
    expect(online).toMatchObject({ ok: true, warnings: [{ code: "STALE" }] });
  });

  test("[E-6] an envelope that no entry names is refused", () => {
    const { rules, bundle } = signedWidget();
    const stowaway = { ...bundle, envelopes: new Map([...bundle.envelopes, ["ab".repeat(32), '{"payload":""}']]) };
    expect(() => openEvidence(stowaway, policyOf(log, rules).log.key)).toThrow(/no entry names/);
  });
});
