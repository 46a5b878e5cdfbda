import { hash } from "node:crypto";
import { isObject, type Json, type JsonObject, SK_ECDSA, SK_ED25519 } from "../../src/index.ts";
import { makeSoftKey, type SoftKey } from "../support/soft-key.ts";

// Statements written out as plain objects, independently of core's encoders, so that any part of them can be written wrongly.

export const LOG = "log.example/main";
export const WIDGET = "npm:npmjs/widget";
export const GADGET = "npm:npmjs/@acme/gadget";

export const alice: SoftKey = makeSoftKey({ type: SK_ED25519, seed: "alice" });
export const aliceBackup: SoftKey = makeSoftKey({ type: SK_ECDSA, seed: "alice, backup" });
export const bob: SoftKey = makeSoftKey({ type: SK_ECDSA, seed: "bob" });
export const carol: SoftKey = makeSoftKey({
  type: SK_ECDSA,
  application: "team.example",
  origin: "https://gate.team.example",
  seed: "carol",
});
export const dave: SoftKey = makeSoftKey({ type: SK_ED25519, seed: "dave" });
export const safe: SoftKey = makeSoftKey({ type: SK_ED25519, seed: "recovery" });

/** A key of an authority, as it is written. */
export type HeldKey = { holder: string; key: string };

export function held(holder: string, key: SoftKey): HeldKey {
  return { holder, key: key.record };
}

/** An authority of 2 of 3, with every field; changed as told. */
export function authority(changes: JsonObject = {}): JsonObject {
  return {
    keys: [held("alice", alice), held("bob", bob), held("carol", carol)],
    releaseThreshold: 2,
    changeThreshold: 2,
    recovery: null,
    successors: [],
    adoption: "ask",
    userVerification: false,
    deviceBound: false,
    ...changes,
  };
}

export function claim(changes: JsonObject = {}, packages: string[] = [WIDGET]): JsonObject {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: packages.map((name) => ({ name, digest: { sha256: hash("sha256", name) } })),
    predicateType: "urn:touchmark:claim:v1",
    predicate: {
      logs: [LOG],
      packages: Object.fromEntries(packages.map((name) => [name, { previous: null, earlier: noEarlier() }])),
      authority: authority(changes),
    },
  };
}

export function noEarlier(): { size: number; root: string } {
  return { size: 0, root: hash("sha256", "", "base64") };
}

export function release(ids: string[] = [`${WIDGET}@1.0.0`]): JsonObject {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: ids.map((name) => ({
      name,
      digest: { sha512: hash("sha512", `tgz of ${name}`), tarSha512: hash("sha512", `tar of ${name}`) },
    })),
    predicateType: "urn:touchmark:release:v1",
    predicate: {
      logs: [LOG],
      releases: Object.fromEntries(ids.map((name) => [name, { base: null }])),
    },
  };
}

/** A copy with one part put in, in place of what was there, or taken out if `part` is left out. */
export function put(value: Json, path: (string | number)[], part?: Json): JsonObject {
  const copy = structuredClone(value) as JsonObject;
  const last = path.at(-1)!;
  const parent = get(copy, path.slice(0, -1)) as JsonObject; // a list's places are properties too
  if (part === undefined) delete parent[last];
  else parent[last] = part;
  return copy;
}

/** A part of a value, which must be there. */
export function get(value: Json, path: (string | number)[]): Json {
  let part = value;
  for (const name of path) {
    const inner = Array.isArray(part) ? part[Number(name)] : isObject(part) ? part[name] : undefined;
    if (inner === undefined) throw new Error(`There is no ${path.join(".")}.`);
    part = inner;
  }
  return part;
}

/** An object with its keys in the opposite order. */
export function reversed(value: Json): JsonObject {
  return Object.fromEntries(Object.entries(value as JsonObject).toReversed());
}
