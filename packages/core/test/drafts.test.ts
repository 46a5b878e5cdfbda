import { describe, expect, test } from "vitest";
import {
  type Authority,
  type AuthorityDraft,
  type Details,
  encodeAdopt,
  encodeAdoptFinal,
  encodeAuthority,
  encodeCanonicalJson,
  encodeChange,
  encodeClaim,
  encodeEndorse,
  encodeFunding,
  encodeHex,
  encodeHold,
  encodeLift,
  encodeProof,
  encodeRelease,
  encodeReview,
  encodeRevoke,
  encodeUtf8,
  encodeVeto,
  parseAuthority,
  parseReleaseId,
  parseStatement,
  type Statement,
  statementChains,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import * as drafts from "./support/drafts.ts";
import { fc } from "./support/property.ts";

// Whatever is drafted within the rules is written as a payload that says just that, whatever the order of its parts, and is entered into the
// chains that [S-40] names.

describe("a draft, written and read, says the same", () => {
  test("[S-12] to [S-14] an authority", () => {
    check(drafts.authorityDraft, (draft) => {
      const value = encodeAuthority(draft);
      const read = parseAuthority(nobleCrypto, value);
      expect(said(read)).toEqual(draftOf(draft));
      expect(read.digest).toBe(`sha256:${encodeHex(nobleCrypto.sha256(encodeUtf8(encodeCanonicalJson(value))))}`);
    });
  });

  test("[S-11], [S-27], [S-28] a claim", () => {
    check(drafts.claimDraft, (draft) => {
      const read = readBack(encodeClaim(nobleCrypto, draft), draft.logs);
      const { packages, details } = draft;
      expect(read).toMatchObject({ kind: "claim", packages, details: sortedDetails(details) });
      expect(said(authorityOf(read))).toEqual(draftOf(draft.authority));
      expect(statementChains(read)).toEqual([...packages.keys()].toSorted());
    });
  });

  test("[S-28], [S-29] a change", () => {
    check(drafts.changeDraft, (draft) => {
      const read = readBack(encodeChange(nobleCrypto, draft), draft.logs);
      const { packages, details } = draft;
      expect(read).toMatchObject({ kind: "change", packages, details: sortedDetails(details) });
      expect(said(authorityOf(read))).toEqual(draftOf(draft.authority));
      expect(statementChains(read)).toEqual([...packages.keys()].toSorted());
    });
  });

  test("[S-34] an adoption", () => {
    check(drafts.adoptDraft, (draft) => {
      const read = readBack(encodeAdopt(nobleCrypto, draft), draft.logs);
      const { packageId, previous, committees } = draft;
      expect(read).toMatchObject({ kind: "adopt", packageId, previous, committees: committees.toSorted() });
      expect(said(authorityOf(read))).toEqual(draftOf(draft.authority));
      expect(statementChains(read)).toEqual([packageId]);
    });
  });

  test("[S-30] a revocation", () => {
    check(drafts.revokeDraft, (draft) => {
      const [subjects, keys] = [draft.subjects.toSorted(), draft.keys.toSorted()];
      const read = readBack(encodeRevoke(nobleCrypto, draft), draft.logs);
      expect(read).toEqual({ kind: "revoke", ...sortedLogs(draft), subjects, keys });
      expect(statementChains(read)).toEqual(subjects);
    });
  });

  test("[S-31] a hold", () => {
    check(drafts.holdDraft, (draft) => {
      const read = readBack(encodeHold(nobleCrypto, draft), draft.logs);
      expect(read).toEqual({ kind: "hold", ...sortedLogs(draft), releases: draft.releases.toSorted() });
      expect(statementChains(read)).toEqual([draft.by]);
    });
  });

  test("[S-18], [S-19] a release", () => {
    check(drafts.releaseDraft, (draft) => {
      const read = readBack(encodeRelease(draft), draft.logs);
      const releases = draft.releases.map(({ releaseId, ...version }): [string, object] => [
        releaseId,
        { ...parseReleaseId(releaseId), base: null, stage: null, ...version },
      ]);
      expect(read).toEqual({ kind: "release", source: null, ...sortedLogs(draft), releases: new Map(releases) });
      expect(statementChains(read)).toEqual(
        [...new Set(releases.map(([id]) => parseReleaseId(id).packageId))].toSorted(),
      );
    });
  });

  test("[S-39] a review", () => {
    check(drafts.reviewDraft, (draft) => {
      const read = readBack(encodeReview(draft), draft.logs);
      const reviews = [...draft.reviews].map(([id, found]): [string, object] => [
        id,
        { ...parseReleaseId(id), ...found },
      ]);
      expect(read).toEqual({ kind: "review", ...sortedLogs(draft), reviews: new Map(reviews) });
      expect(statementChains(read)).toEqual([draft.by]);
    });
  });

  test("[S-36] a funding statement", () => {
    check(drafts.fundingDraft, (draft) => {
      const read = readBack(encodeFunding(nobleCrypto, draft), draft.logs);
      const channels = draft.channels.toSorted((a, b) =>
        `${a.type} ${a.address}` < `${b.type} ${b.address}` ? -1 : 1,
      );
      expect(read).toEqual({ kind: "funding", ...sortedLogs(draft), channels });
      expect(statementChains(read)).toEqual([...draft.packages.keys()].toSorted());
    });
  });

  test("[S-38] an endorsement", () => {
    check(drafts.endorseDraft, (draft) => {
      const read = readBack(encodeEndorse(nobleCrypto, draft), draft.logs);
      const claims = [...draft.claims].map(([id, { claim, confirms }]): [string, object] => [
        id,
        { claim, confirms: confirms.toSorted() },
      ]);
      expect(read).toEqual({ kind: "endorse", ...sortedLogs(draft), claims: new Map(claims) });
      expect(statementChains(read)).toEqual([draft.by]);
    });
  });

  test("[S-32], [S-33], [S-35], [S-37] a lift, a veto, the end of an adoption, a proof", () => {
    const plain = <T extends { logs: string[] }>(
      kind: Statement["kind"],
      arbitrary: fc.Arbitrary<T>,
      encode: (crypto: typeof nobleCrypto, draft: T) => Uint8Array,
      chains: (draft: T) => string[],
    ): void =>
      check(arbitrary, (draft) => {
        const read = readBack(encode(nobleCrypto, draft), draft.logs);
        expect(read).toEqual({ kind, ...sortedLogs(draft) });
        expect(statementChains(read)).toEqual(chains(draft).toSorted());
      });
    plain("lift", drafts.liftDraft, encodeLift, ({ by }) => [by]);
    plain("veto", drafts.vetoDraft, encodeVeto, ({ entries }) => [...entries.keys()]);
    plain("adopt-final", drafts.adoptFinalDraft, encodeAdoptFinal, ({ packageId }) => [packageId]);
    plain("proof", drafts.proofDraft, encodeProof, ({ proofs }) => [...proofs.keys()]);
  });
});

function check<T>(arbitrary: fc.Arbitrary<T>, holds: (draft: T) => void): void {
  fc.assert(fc.property(arbitrary, holds), { numRuns: 60 });
}

function readBack(payload: Uint8Array, logs: string[]): Statement {
  const statement = parseStatement(nobleCrypto, payload);
  expect(statement.logs).toEqual(logs.toSorted());
  return statement;
}

function sortedLogs<T extends { logs: string[] }>(draft: T): T {
  return { ...draft, logs: draft.logs.toSorted() };
}

function sortedDetails(details: Details): Details {
  if (details === null) return null;
  if (details.kind === "charter") return { ...details, committees: details.committees.toSorted() };
  return { ...details, scope: details.scope.toSorted(), powers: details.powers.toSorted() };
}

function authorityOf(statement: Statement): Authority {
  if (!("authority" in statement)) throw new Error(`A ${statement.kind} has no authority.`);
  return statement.authority;
}

// An authority and its draft in one form: what a draft leaves out is filled in, and its lists are sorted.

function said(authority: Authority): object {
  const { keys, recovery, ...rest } = authority;
  const held = (list: Authority["keys"]): string[] => list.map(({ holder, key }) => `${holder} ${key.record}`);
  return { ...rest, digest: null, keys: held(keys), recovery: recovery && { ...recovery, keys: held(recovery.keys) } };
}

function draftOf({ keys, recovery, successors, ...rest }: AuthorityDraft): object {
  const held = (list: { holder: string; record: string }[]): string[] =>
    list.map(({ holder, record }) => `${holder} ${record}`).toSorted();
  return {
    expedite: null,
    digest: null,
    ...rest,
    keys: held(keys),
    recovery: recovery ? { ...recovery, keys: held(recovery.keys) } : null,
    successors: successors?.toSorted(),
  };
}
