import { hash } from "node:crypto";
import {
  applyStatement,
  type Authority,
  type AuthorityDraft,
  DAY,
  type Details,
  encodeAuthority,
  type EntryPlace,
  type HeldKey,
  NO_EARLIER,
  type PackageState,
  parseAuthority,
  type Power,
  settle,
  type SignedStatement,
  type Statement,
  statementChains,
  UNCLAIMED,
  type World,
} from "../../src/index.ts";
import { nobleCrypto } from "../../src/noble.ts";
import { makeSoftKey } from "./soft-key.ts";

export const LOG = "log.example/main";
export const WIDGET = "npm:npmjs/widget";

/** A person's key. `alice` and `alice/2` are two keys of alice. */
export function keyOf(name: string): HeldKey {
  const known = keys.get(name);
  if (known) return known;
  const { key, fingerprint } = makeSoftKey({ seed: `town ${name}` });
  const made = { holder: name.split("/")[0]!, key, fingerprint, attestation: null };
  keys.set(name, made);
  return made;
}

const keys = new Map<string, HeldKey>();

/** An authority of keys by name, `alice bob carol` say. */
export function authorityOf(
  names: string,
  m: number,
  more: Partial<AuthorityDraft> & { recoverers?: string } = {},
): Authority {
  const { recoverers, ...rest } = more;
  const draft: AuthorityDraft = { keys: recordsOf(names), releaseThreshold: m, ...rest };
  if (recoverers !== undefined) draft.recovery ??= { threshold: 2, keys: recordsOf(recoverers) };
  return parseAuthority(nobleCrypto, encodeAuthority(draft));
}

export function committee(powers: Power[], scope: string[] = ["*"], termDays = 1000): Details {
  return { kind: "committee", scope, powers, termDays };
}

/** A statement without the logs, which are all for this one. */
export type Said = Statement extends infer S
  ? S extends Statement
    ? Omit<S, "logs"> & { logs?: string[] }
    : never
  : never;

/** A log without signatures, proofs or storage: what the fold sees, and a clock to turn. */
export interface Town {
  /** Days since the beginning. */
  day: number;
  /** Enters a statement signed by these keys, or throws. Gives its entry's reference. */
  enter(said: Said, signers: string): Uint8Array;
  state(subjectId?: string): PackageState;
  /** Reference of the subject's last authority entry. */
  last(subjectId?: string): Uint8Array;
  world: Omit<World, "recognised"> & { recognised: World["recognised"] };
}

export function makeTown(
  options: { recognised?: ReadonlyMap<string, readonly Power[]>; lenient?: boolean; charter?: string } = {},
): Town {
  const states = new Map<string, PackageState>();
  const before = new Map<string, { index: number; time: number }>();
  const releases = new Map<string, number>();
  let index = 0;
  const world: Town["world"] = {
    origin: LOG,
    chartered: (digest) => digest === options.charter,
    recognised: options.recognised ?? new Map(),
    lenient: options.lenient ?? false,
    state: (id) => states.get(id) ?? UNCLAIMED,
    releaseTime: (id) => releases.get(id) ?? null,
  };
  const timeOf = (day: number): number => START + Math.round(day * DAY);
  const town: Town = {
    day: 0,
    world,
    enter: (said, signers) => {
      const statement = { logs: [LOG], ...said };
      const signed: SignedStatement = { statement, digest: "", signers: signersOf(signers) };
      const fresh = new Map<string, PackageState>();
      const places = new Map<string, EntryPlace>();
      for (const id of statementChains(statement)) {
        const place = {
          index: index + fresh.size + 1,
          time: timeOf(town.day),
          leafHash: leafOf(index + fresh.size + 1),
          before: before.get(id) ?? null,
        };
        places.set(id, place);
        fresh.set(id, applyStatement(world.state(id)!, id, signed, place, world));
      }
      for (const [id, state] of fresh) states.set(id, state);
      for (const [id, place] of places) before.set(id, place);
      index += fresh.size;
      if (statement.kind === "release") for (const id of statement.releases.keys()) releases.set(id, timeOf(town.day));
      return leafOf(index);
    },
    state: (id = WIDGET) => settle(world.state(id)!, id, timeOf(town.day), world),
    last: (id = WIDGET) => world.state(id)!.last!.leafHash,
  };
  return town;
}

export function claimOf(
  authority: Authority,
  more: { id?: string; previous?: Uint8Array; proof?: string; details?: Details } = {},
): Said {
  const { id = WIDGET, previous = null, proof, details = null } = more;
  const packages = new Map([
    [
      id,
      {
        previous,
        earlier: NO_EARLIER,
        proof: proof === undefined ? null : { version: proof, sha512: "ab".repeat(64) },
      },
    ],
  ]);
  return { kind: "claim", packages, authority, details };
}

export function releaseOf(version: string, id = WIDGET): Said {
  const released = {
    packageId: id,
    version,
    sha512: "cd".repeat(64),
    tarSha512: "ef".repeat(64),
    base: null,
    stage: null,
  };
  return { kind: "release", releases: new Map([[`${id}@${version}`, released]]), source: null };
}

/** All keys of an authority, as names that `enter` takes. */
export function signersOf(names: string): { fingerprint: string; flags: number }[] {
  return names
    .split(" ")
    .filter((name) => name !== "")
    .map((name) => ({ fingerprint: keyOf(name).fingerprint, flags: 0x05 }));
}

function recordsOf(names: string): AuthorityDraft["keys"] {
  return names.split(" ").map((name) => ({ holder: keyOf(name).holder, record: keyOf(name).key.record }));
}

function leafOf(index: number): Uint8Array {
  return Uint8Array.from(hash("sha256", `leaf ${index}`, "buffer"));
}

const START = 1_800_000_000;
