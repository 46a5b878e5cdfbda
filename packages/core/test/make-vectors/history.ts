// A language to tell histories in: who says what, on which day, and what it comes to.
import {
  type AuthorityDraft,
  encodeAdopt,
  encodeAdoptFinal,
  encodeChange,
  encodeClaim,
  encodeEndorse,
  encodeFunding,
  encodeHold,
  encodeLift,
  encodeProof,
  encodeRelease,
  encodeReview,
  encodeRevoke,
  encodeVeto,
  type JsonObject,
  NO_EARLIER,
  type Power,
} from "../../src/index.ts";
import { parseHex } from "../../src/bytes.ts";
import { nobleCrypto } from "../../src/noble.ts";
import { type HistoryVector, playHistory } from "../support/history-vectors.ts";
import { committee, keyOf, LOG, WIDGET } from "../support/town.ts";

export type Team = Omit<AuthorityDraft, "keys" | "recovery"> & { keys: string; recovery?: string };

/** A history in the making. Whoever refuses is named as `CODE by RULE`; what isn't named is admitted. */
export interface Telling {
  day: number;
  claim(
    team: Team,
    more?: { id?: string; proof?: boolean; signers?: string; logs?: string[] },
    refused?: string,
  ): string;
  found(id: string, members: string, powers: Power[]): void;
  prove(claim: string, signer: string): string;
  release(version: string, signers: string, refused?: string, bytes?: string): void;
  change(team: Team, signers: string, refused?: string, previous?: string): string;
  revoke(name: string, signers: string, refused?: string): void;
  veto(entry: string, signer: string, refused?: string): void;
  fund(address: string, signers: string): string;
  adopt(team: Team, committees: string[], signers: string, refused?: string): string;
  finish(entry: string, signers: string, refused?: string): void;
  hold(by: string, signers: string, refused?: string, more?: { osv?: string; renews?: string }): string;
  lift(by: string, hold: string, signers: string, refused?: string): void;
  endorse(by: string, claim: string, signers: string, refused?: string): void;
  review(by: string, signers: string, refused?: string): void;
  look(): void;
  /** What somebody sees at the end who recognises these. */
  reader(recognised: Record<string, Power[]>): void;
}

const START = 1_800_000_000;

export function tell(
  number: number,
  name: string,
  rules: string[],
  story: (telling: Telling) => void,
  recognised: Record<string, Power[]> = {},
): HistoryVector {
  const player = playHistory(recognised);
  const vector: HistoryVector = { case: number, name, rules, recognised, steps: [], readers: [] };
  const last = new Map<string, string>();
  const now = (): number => START + Math.round(telling.day * 86_400);

  const say = (
    payload: Uint8Array,
    signers: string,
    refused: string | undefined,
    look: string[] = [WIDGET],
  ): string => {
    const statement = JSON.parse(Buffer.from(payload).toString()) as JsonObject;
    const step = player.play({ time: now(), statement, signers: signers.split(" "), look });
    const found = step.refused ? `${step.refused.code} by ${step.refused.rule}` : undefined;
    if (found !== refused)
      throw new Error(`case ${number}, day ${telling.day}: ${found ?? "admitted"}, not ${refused ?? "admitted"}`);
    vector.steps.push(step);
    const isWord = ["urn:touchmark:release:v1", "urn:touchmark:review:v1"].includes(
      statement["predicateType"] as string,
    );
    if (!isWord) for (const [id, entry] of Object.entries(step.entries!)) last.set(id, entry);
    return Object.values(step.entries!)[0] ?? "";
  };
  const followed = (id: string, previous = last.get(id)): Map<string, { previous: Uint8Array }> =>
    new Map([[id, { previous: parseHex(previous!) }]]);

  const telling: Telling = {
    day: 0,
    claim: (team, { id = WIDGET, proof = false, signers, logs = [LOG] } = {}, refused) => {
      const previous = last.has(id) ? parseHex(last.get(id)!) : null;
      const shown = proof ? { version: "0.9.0", sha512: "ab".repeat(64) } : null;
      const packages = new Map([[id, { previous, earlier: NO_EARLIER, proof: shown }]]);
      const payload = encodeClaim(nobleCrypto, { logs, packages, authority: draftOf(team) });
      return say(payload, signers ?? everyone(team), refused);
    },
    found: (id, members, powers) => {
      const packages = new Map([[id, { previous: null, earlier: NO_EARLIER }]]);
      const authority = draftOf({ keys: members, releaseThreshold: members.split(" ").length });
      const details = committee(powers);
      say(encodeClaim(nobleCrypto, { logs: [LOG], packages, authority, details }), members, undefined, []);
    },
    prove: (claim, signer) => {
      const proof = { claim: parseHex(claim), letter: "a" as const, version: "1.0.0", sha512: "ab".repeat(64) };
      return say(encodeProof(nobleCrypto, { logs: [LOG], proofs: new Map([[WIDGET, proof]]) }), signer, undefined);
    },
    release: (version, signers, refused, bytes = "cd") => {
      const sha512 = bytes.repeat(64);
      const releases = [{ releaseId: `${WIDGET}@${version}`, sha512, tarSha512: "ef".repeat(64) }];
      say(encodeRelease({ logs: [LOG], releases }), signers, refused);
    },
    change: (team, signers, refused, previous) => {
      const draft = { logs: [LOG], packages: followed(WIDGET, previous), authority: draftOf(team) };
      return say(encodeChange(nobleCrypto, draft), signers, refused);
    },
    revoke: (name_, signers, refused) => {
      const keys = [keyOf(name_).fingerprint];
      say(encodeRevoke(nobleCrypto, { logs: [LOG], subjects: [WIDGET], keys }), signers, refused);
    },
    veto: (entry, signer, refused) => {
      say(encodeVeto(nobleCrypto, { logs: [LOG], entries: new Map([[WIDGET, parseHex(entry)]]) }), signer, refused);
    },
    fund: (address, signers) => {
      const channels = [{ type: "open-collective", address }];
      const draft = { logs: [LOG], packages: followed(WIDGET), channels, manifest: null, needs: null };
      return say(encodeFunding(nobleCrypto, draft), signers, undefined);
    },
    adopt: (team, committees, signers, refused) => {
      const previous = parseHex(last.get(WIDGET)!);
      const draft = { logs: [LOG], packageId: WIDGET, previous, authority: draftOf(team), committees };
      return say(encodeAdopt(nobleCrypto, draft), signers, refused);
    },
    finish: (entry, signers, refused) => {
      const draft = { logs: [LOG], packageId: WIDGET, adoption: parseHex(entry) };
      say(encodeAdoptFinal(nobleCrypto, draft), signers, refused);
    },
    hold: (by, signers, refused, { osv, renews } = {}) => {
      const releases = [`${WIDGET}@1.0.0`];
      const renewed = renews === undefined ? null : parseHex(renews);
      const draft = { logs: [LOG], by, releases, reason: "odd", osv: osv ?? null, renews: renewed };
      return say(encodeHold(nobleCrypto, draft), signers, refused);
    },
    lift: (by, hold, signers, refused) => {
      say(encodeLift(nobleCrypto, { logs: [LOG], by, hold: parseHex(hold) }), signers, refused);
    },
    endorse: (by, claim, signers, refused) => {
      const claims = new Map([[WIDGET, { claim: parseHex(claim), confirms: [] }]]);
      say(encodeEndorse(nobleCrypto, { logs: [LOG], by, claims }), signers, refused);
    },
    review: (by, signers, refused) => {
      const found = {
        sha512: "cd".repeat(64),
        tarSha512: "ef".repeat(64),
        base: null,
        verdict: "good",
        tool: null,
      } as const;
      say(
        encodeReview({ logs: [LOG], by, replaces: null, reviews: new Map([[`${WIDGET}@1.0.0`, found]]) }),
        signers,
        refused,
      );
    },
    look: () => void vector.steps.push(player.play({ time: now(), look: [WIDGET] })),
    reader: (others) => void vector.readers.push(player.reader(others, [WIDGET], now())),
  };
  story(telling);
  return vector;
}

export function draftOf({ keys, recovery, ...rest }: Team): AuthorityDraft {
  const records = (names: string): AuthorityDraft["keys"] =>
    names.split(" ").map((one) => ({ holder: keyOf(one).holder, record: keyOf(one).key.record }));
  const recoverers = recovery === undefined ? {} : { recovery: { threshold: 2, keys: records(recovery) } };
  return { keys: records(keys), ...recoverers, ...rest };
}

function everyone({ keys, recovery }: Team): string {
  return recovery === undefined ? keys : `${keys} ${recovery}`;
}
