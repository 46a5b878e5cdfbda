import {
  type AdoptDraft,
  type AdoptFinalDraft,
  type AuthorityDraft,
  type ChangeDraft,
  type ClaimDraft,
  type Details,
  type EndorseDraft,
  type FundingDraft,
  type HoldDraft,
  type LiftDraft,
  type Power,
  type ProofDraft,
  type ReleaseDraft,
  type ReviewDraft,
  type RevokeDraft,
  type VetoDraft,
} from "../../src/index.ts";
import { fc } from "./property.ts";
import { makeSoftKey } from "./soft-key.ts";

// Drafts of every kind of statement, in any order, each within the rules of chapter 03.

const KEYS = Array.from({ length: 8 }, (_, i) => makeSoftKey({ seed: `draft ${i}` }));

const text = (alphabet: string, most: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(alphabet)), minLength: 1, maxLength: most });
const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const PRINTABLE = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).join("");
const unique = <T>(items: fc.Arbitrary<T>, least: number, most: number): fc.Arbitrary<T[]> =>
  fc.uniqueArray(items, { minLength: least, maxLength: most, selector: (item) => JSON.stringify(item) });
const mapOf = <T>(ids: fc.Arbitrary<string>, values: fc.Arbitrary<T>, most = 4): fc.Arbitrary<Map<string, T>> =>
  fc
    .uniqueArray(fc.tuple(ids, values), { minLength: 1, maxLength: most, selector: ([id]) => id })
    .map((entries) => new Map(entries));

const packageId = fc
  .tuple(text(`${LETTERS}0123456789`, 6), fc.option(text(LETTERS, 4), { nil: null }), text(`${LETTERS}AZ-~09`, 8))
  .map(([registry, scope, name]) => `npm:${registry}/${scope === null ? "" : `@${scope}/`}${name}`);
const committeeId = text(`${LETTERS}0123456789`, 8).map((name) => `committee:${name}`);
const logId = text(PRINTABLE.replace("+", ""), 20).map((origin) => `log:${origin}`);
const subjectId = fc.oneof(packageId, committeeId, logId);
const version = fc
  .tuple(fc.nat(300), fc.nat(300), fc.nat(300), fc.constantFrom("", "-rc.1", "+build.5", "-0a.b+c"))
  .map(([major, minor, patch, rest]) => `${major}.${minor}.${patch}${rest}`);
const releaseId = fc.tuple(packageId, version).map(([id, number]) => `${id}@${number}`);
const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString("hex"));
const reference = fc.uint8Array({ minLength: 32, maxLength: 32 });
const followed = fc.record({ previous: reference });
const logs = unique(text(PRINTABLE.replace("+", ""), 20), 1, 8);
const fingerprint = fc.constantFrom(...KEYS).map((key) => key.fingerprint);
const word = text(PRINTABLE, 40);

export const authorityDraft: fc.Arbitrary<AuthorityDraft> = fc
  .record({
    order: fc.shuffledSubarray(KEYS, { minLength: 1 }),
    holders: fc.array(fc.constantFrom("alice", "bob", "carol.x", "0d"), { minLength: 8, maxLength: 8 }),
    ways: fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
    adoption: fc.constantFrom("ask" as const, "open" as const, "never" as const),
    userVerification: fc.boolean(),
    deviceBound: fc.boolean(),
    expedite: committeeId,
  })
  .map(({ order, holders, ways: [split, m, c, recovery], expedite, ...wishes }) => {
    const held = order.map(({ record }, i) => ({ holder: holders[i]!, record }));
    const keys = held.slice(0, 1 + (split % held.length));
    const recoveryKeys = held.slice(keys.length);
    const number = new Set(keys.map(({ holder }) => holder)).size;
    const releaseThreshold = 1 + (m % number);
    const least = Math.max(releaseThreshold, Math.floor(number / 2) + 1);
    const rescuers = new Set(recoveryKeys.map(({ holder }) => holder)).size;
    const successors = KEYS.filter((key) => !order.includes(key)).map((key) => key.fingerprint);
    return {
      keys,
      releaseThreshold,
      changeThreshold: least + (c % (number - least + 1)),
      ...(rescuers === 0 ? {} : { recovery: { threshold: 1 + (recovery % rescuers), keys: recoveryKeys } }),
      successors: successors.toReversed(),
      ...wishes,
      ...(releaseThreshold >= 2 ? { expedite } : {}),
    };
  });

const scope = unique(
  fc.oneof(
    fc.constant("*"),
    text(LETTERS, 6),
    text(LETTERS, 6).map((name) => `@${name}/*`),
  ),
  1,
  6,
);
const powers = fc.shuffledSubarray<Power>(["adopt", "endorse", "expedite", "hold", "review"]);
const details: fc.Arbitrary<NonNullable<Details>> = fc.oneof(
  fc.record({
    kind: fc.constant("committee" as const),
    scope,
    powers,
    termDays: fc.integer({ min: 1, max: 1096 }),
  }),
  fc.record({ kind: fc.constant("charter" as const), committees: unique(committeeId, 0, 5) }),
);
const published = fc.record({ version, sha512: hex(64) });
const nothing = { size: 0, root: Buffer.from("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "base64") };
const earlier = fc.oneof(
  fc.constant({ size: nothing.size, root: Uint8Array.from(nothing.root) }),
  fc.record({ size: fc.integer({ min: 1, max: 20_000 }), root: reference }),
);
const claimed = fc.record({
  previous: fc.option(reference),
  earlier,
  proof: fc.option(published),
});

/** What a claim or a change is about: packages, or one committee or log with its details. */
function about<T>(values: fc.Arbitrary<T>, plain: (value: T) => T): fc.Arbitrary<[Map<string, T>, Details]> {
  return fc.oneof(
    mapOf(packageId, values).map((packages): [Map<string, T>, Details] => [packages, null]),
    fc
      .tuple(committeeId, logId, values, details)
      .map(([committee, log, value, said]): [Map<string, T>, Details] => [
        new Map([[said.kind === "committee" ? committee : log, plain(value)]]),
        said,
      ]),
  );
}

export const claimDraft: fc.Arbitrary<Required<ClaimDraft>> = fc
  .tuple(
    logs,
    about(claimed, ({ previous }) => ({
      previous,
      earlier: { size: 0, root: Uint8Array.from(nothing.root) },
      proof: null,
    })),
    authorityDraft,
  )
  .map(([named, [packages, said], authority]) => ({ logs: named, packages, authority, details: said }));

export const changeDraft: fc.Arbitrary<Required<ChangeDraft>> = fc
  .tuple(
    logs,
    about(followed, (value) => value),
    authorityDraft,
  )
  .map(([named, [packages, said], authority]) => ({ logs: named, packages, authority, details: said }));

export const adoptDraft: fc.Arbitrary<AdoptDraft> = fc.record({
  logs,
  packageId,
  previous: reference,
  authority: authorityDraft,
  committees: unique(committeeId, 0, 4),
});

export const adoptFinalDraft: fc.Arbitrary<AdoptFinalDraft> = fc.record({ logs, packageId, adoption: reference });

export const revokeDraft: fc.Arbitrary<RevokeDraft> = fc.record({
  logs,
  subjects: unique(subjectId, 1, 5),
  keys: unique(fingerprint, 1, 8),
});

export const holdDraft: fc.Arbitrary<HoldDraft> = fc
  .record({
    logs,
    by: subjectId,
    versions: unique(version, 1, 4),
    id: packageId,
    reason: text(`${PRINTABLE} `, 280),
    osv: fc.option(text("AZaz09._:-", 64)),
    renews: fc.option(reference),
  })
  .map(({ versions, id, by, ...rest }) => {
    const of = by.startsWith("npm:") ? by : id;
    return { by, releases: versions.map((number) => `${of}@${number}`), ...rest };
  });

export const liftDraft: fc.Arbitrary<LiftDraft> = fc.record({ logs, by: subjectId, hold: reference });

export const vetoDraft: fc.Arbitrary<VetoDraft> = fc.record({ logs, entries: mapOf(subjectId, reference) });

export const fundingDraft: fc.Arbitrary<FundingDraft> = fc.record({
  logs,
  packages: mapOf(packageId, followed),
  channels: unique(fc.record({ type: text(LETTERS, 32), address: word }), 0, 10),
  manifest: fc.option(hex(32)),
  needs: fc.option(fc.record({ currency: fc.constantFrom("EUR", "USD"), monthly: fc.nat(1_000_000_000) })),
});

export const proofDraft: fc.Arbitrary<ProofDraft> = fc.record({
  logs,
  proofs: mapOf(
    packageId,
    fc.oneof(
      fc.record({ claim: reference, letter: fc.constant("a" as const), version, sha512: hex(64) }),
      fc.record({
        claim: reference,
        letter: fc.constantFrom("b" as const, "c" as const, "d" as const),
        evidence: word,
      }),
    ),
  ),
});

export const endorseDraft: fc.Arbitrary<EndorseDraft> = fc.record({
  logs,
  by: committeeId,
  claims: mapOf(packageId, fc.record({ claim: reference, confirms: fc.shuffledSubarray(["a", "b", "c", "d"]) })),
});

export const reviewDraft: fc.Arbitrary<ReviewDraft> = fc.record({
  logs,
  by: committeeId,
  replaces: fc.option(reference),
  reviews: mapOf(
    releaseId,
    fc.record({
      sha512: hex(64),
      tarSha512: hex(64),
      base: fc.option(version),
      verdict: fc.constantFrom("good", "bad", "unclear"),
      tool: fc.option(fc.record({ name: word, version: word, rules: hex(32) })),
    }),
  ),
});

export const releaseDraft: fc.Arbitrary<ReleaseDraft> = fc
  .record({
    logs,
    releases: mapOf(
      releaseId,
      fc.record({ sha512: hex(64), tarSha512: hex(64), base: fc.option(version), stage: fc.option(word) }),
    ),
    source: fc.option(fc.record({ repository: word, commit: fc.oneof(hex(20), hex(32)) })),
  })
  .map(({ releases, source, ...rest }) => ({
    ...rest,
    releases: [...releases].map(([id, { base, stage, ...digests }]) => ({
      releaseId: id,
      ...digests,
      ...(base === null ? {} : { base }),
      ...(stage === null ? {} : { stage }),
    })),
    ...(source === null ? {} : { source }),
  }));
