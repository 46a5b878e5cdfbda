import {
  alice,
  aliceBackup,
  authority,
  bob,
  carol,
  claim,
  dave,
  GADGET,
  get,
  held,
  type HeldKey,
  noEarlier,
  put,
  reversed,
  safe,
  WIDGET,
} from "./payload-parts.ts";
import { bad, good, type PayloadCase } from "./payload-case.ts";
import type { Json, JsonObject } from "../../src/index.ts";
import { makeSoftKey } from "../support/soft-key.ts";

/** Claims by [S-11] to [S-17]. */
export function claimPayloads(): PayloadCase[] {
  return [...accepted(), ...packages(), ...keys(), ...thresholds(), ...earlier()];
}

function accepted(): PayloadCase[] {
  const attestation = { format: "packed", object: "oA==" };
  const attested = { ...held("alice", alice), attestation };
  return [
    good("S-11", "one package", claim()),
    good("S-11", "two packages", claim({}, [GADGET, WIDGET])),
    good("S-12", "recovery keys", claim({ recovery: { threshold: 1, keys: [held("alice", safe)] } })),
    good("S-12", "two keys of one holder", claim({ keys: twoOfAlice(), releaseThreshold: 2 })),
    good("S-12", "32 keys", claim({ keys: many(32), releaseThreshold: 1, changeThreshold: 17 })),
    good("S-13", "one holder", claim({ keys: [held("alice", alice)], releaseThreshold: 1, changeThreshold: 1 })),
    good("S-13", "all thresholds at their greatest", claim({ releaseThreshold: 3, changeThreshold: 3 })),
    good("S-13", "a successor, adoption open", claim({ successors: [dave.fingerprint], adoption: "open" })),
    good("S-13", "adoption never", claim({ adoption: "never" })),
    good("S-12", "demands", claim({ userVerification: true, deviceBound: true })),
    good("K-16", "an attestation", claim({ keys: [attested, held("bob", bob)] })),
  ];
}

function packages(): PayloadCase[] {
  const two = claim({}, [GADGET, WIDGET]);
  const named = (name: string): JsonObject => claim({}, [name]);
  return [
    bad(
      "S-25",
      "the digest of another package",
      put(two, ["subject", 0, "digest"], get(two, ["subject", 1, "digest"])),
    ),
    bad("S-25", "a digest of another kind", put(two, ["subject", 0, "digest"], { sha512: "" })),
    bad("S-25", "a second digest", put(two, ["subject", 0, "digest", "sha512"], "")),
    bad("S-11", "a package without subject", put(two, ["subject"], [get(two, ["subject", 0])])),
    bad("S-11", "a subject without package", put(two, ["predicate", "packages", WIDGET])),
    bad(
      "S-11",
      "packages in another order",
      put(two, ["predicate", "packages"], reversed(get(two, ["predicate", "packages"]))),
    ),
    bad("S-11", "another field", put(two, ["predicate", "note"], "")),
    bad("S-11", "no authority", put(two, ["predicate", "authority"])),
    bad("S-11", "a package with another field", put(two, ["predicate", "packages", WIDGET, "note"], "")),
    bad("C-9", "a name without registry", named("npm:widget")),
    bad("C-17", "a name of another ecosystem", named("pypi:npmjs/widget")),
    bad("C-9", "a name with a version", named(`${WIDGET}@1.0.0`)),
    bad("C-9", "a name that begins with a dot", named("npm:npmjs/.widget")),
    bad("C-9", "a scope without name", named("npm:npmjs/@acme")),
    bad("C-9", "a registry in capitals", named("npm:NPMJS/widget")),
    bad("C-9", "a path in a name", named("npm:npmjs/../widget")),
    bad("S-17", "previous as a number", previous(0), "MALFORMED", "S-26"),
    bad("S-17", "previous of 31 bytes", previous("00".repeat(31)), "MALFORMED", "S-26"),
    bad("S-17", "previous in capitals", previous("AB".repeat(32)), "MALFORMED", "S-26"),
    good("S-17", "previous of 32 bytes", previous("ab".repeat(32))),
  ];
}

function keys(): PayloadCase[] {
  const withKeys = (...list: Json[]): JsonObject => claim({ keys: list });
  const withRecovery = (recovery: Json): JsonObject => claim({ recovery });
  const [a, b, c] = [held("alice", alice), held("bob", bob), held("carol", carol)];
  const { keys: _, ...noKeys } = authority();
  const attested = (attestation: Json): JsonObject => withKeys({ ...a, attestation }, b);
  return [
    bad("S-12", "no list of keys", put(claim(), ["predicate", "authority"], noKeys)),
    bad("S-12", "no keys", withKeys()),
    bad("S-12", "holders unsorted", withKeys(b, a, c)),
    bad("S-12", "a holder's keys unsorted", claim({ keys: [twoOfAlice()[1], twoOfAlice()[0], b] })),
    bad("S-12", "a key twice", withKeys(a, a, b)),
    bad("S-12", "a key under two holders", withKeys(a, held("bob", alice), c)),
    bad("S-12", "a key in both lists", withRecovery({ threshold: 1, keys: [held("zoe", alice)] })),
    bad("S-12", "33 keys", claim({ keys: many(33), changeThreshold: 17 }), "TOO_LARGE", "C-15"),
    bad("S-12", "a key with another field", withKeys({ ...a, note: "" }, b)),
    bad("S-12", "a key's fields in another order", withKeys({ key: a.key, holder: a.holder }, b)),
    bad("S-12", "a key that is a number", withKeys({ holder: "alice", key: 1 }, b)),
    bad("S-12", "an authority with another field", claim({ note: "" })),
    bad("S-12", "recovery without keys", withRecovery({ threshold: 1, keys: [] })),
    bad("S-12", "recovery that is false", withRecovery(false)),
    bad("S-12", "userVerification as text", claim({ userVerification: "yes" })),
    bad("S-12", "deviceBound as a number", claim({ deviceBound: 0 })),
    bad("C-12", "a holder in capitals", withKeys({ ...a, holder: "Alice" }, b)),
    bad("C-12", "an empty holder", withKeys({ ...a, holder: "" }, b)),
    bad("C-12", "a holder with a zero-width space", withKeys({ ...a, holder: "ali\u{200b}ce" }, b)),
    bad("C-12", "a holder with a right-to-left override", withKeys({ ...a, holder: "\u{202e}alice" }, b)),
    bad("C-12", "a holder in letters that look the same", withKeys({ ...a, holder: "\u{430}lice" }, b)),
    bad("C-12", "a holder of 40 characters", withKeys({ ...a, holder: "a".repeat(40) }, b)),
    bad("K-1", "a key with a comment", withKeys({ ...a, key: `${a.key} alice` }, b), "BAD_KEY"),
    bad(
      "K-16",
      "an attestation in front of the key",
      withKeys({ holder: "alice", attestation: {}, key: a.key }, b),
      "MALFORMED",
      "S-12",
    ),
    bad("K-16", "an attestation with another field", attested({ format: "packed", object: "", note: "" })),
    bad("K-16", "an attestation that is null", attested(null)),
    bad("K-16", "an attestation's format in capitals", attested({ format: "PACKED", object: "" })),
    bad("K-16", "an attestation not in base64", attested({ format: "packed", object: "?" }), "MALFORMED", "C-2"),
  ];
}

function thresholds(): PayloadCase[] {
  const recovery = (threshold: Json): JsonObject => claim({ recovery: { threshold, keys: [held("zoe", safe)] } });
  const successors = (...list: Json[]): JsonObject => claim({ successors: list });
  const [low, high] = [dave.fingerprint, safe.fingerprint].toSorted() as [string, string];
  return [
    bad("S-13", "m = 0", claim({ releaseThreshold: 0 })),
    bad("S-13", "m = -1", claim({ releaseThreshold: -1 })),
    bad("S-13", "m = 1.5", claim({ releaseThreshold: 1.5 })),
    bad("S-13", "m as text", claim({ releaseThreshold: "2" })),
    bad("S-13", "m that is null", claim({ releaseThreshold: null })),
    bad("S-13", "m above the holders", claim({ releaseThreshold: 4, changeThreshold: 4 })),
    bad(
      "S-13",
      "m above the holders, not above their keys",
      claim({ keys: twoOfAlice().slice(0, 2), changeThreshold: 1 }),
    ),
    bad("S-13", "c below m", claim({ releaseThreshold: 3 })),
    bad("S-13", "c below a majority", claim({ releaseThreshold: 1, changeThreshold: 1 })),
    bad("S-13", "c of half the holders", claim({ keys: four(), changeThreshold: 2 })),
    bad("S-13", "c above the holders", claim({ changeThreshold: 4 })),
    bad("S-13", "a recovery threshold of 0", recovery(0)),
    bad("S-13", "a recovery threshold above the holders", recovery(2)),
    bad("S-13", "successors unsorted", successors(high, low)),
    bad("S-13", "a successor twice", successors(low, low)),
    bad("S-13", "a successor that is no fingerprint", successors("SHA256:short")),
    bad("S-13", "a successor's fingerprint with unused bits", successors(`SHA256:${"A".repeat(42)}B`)),
    bad("S-13", "nine successors", successors(...Array.from({ length: 9 }, () => low)), "TOO_LARGE", "C-15"),
    bad("S-13", "a key that is its own successor", successors(alice.fingerprint)),
    bad(
      "S-13",
      "a recovery key as successor",
      claim({ recovery: { threshold: 1, keys: [held("zoe", safe)] }, successors: [safe.fingerprint] }),
    ),
    good("S-13", "a committee that may expedite", claim({ expedite: "committee:security" })),
    bad(
      "S-13",
      "a committee that may expedite, where one holder is enough",
      claim({ releaseThreshold: 1, expedite: "committee:x" }),
    ),
    bad("S-13", "expedite that is null", claim({ expedite: null })),
    bad("S-13", "expedite by a package", claim({ expedite: WIDGET })),
    bad(
      "S-12",
      "expedite before the other members",
      put(claim(), ["predicate", "authority"], { expedite: "committee:x", ...authority() }),
    ),
    bad("S-13", "another adoption mode", claim({ adoption: "maybe" })),
    bad("S-13", "no adoption mode", claim({ adoption: null })),
  ];
}

function earlier(): PayloadCase[] {
  const root = Buffer.alloc(32, 7).toString("base64");
  const empty = noEarlier().root;
  const listed = (value: Json): JsonObject => put(claim(), ["predicate", "packages", WIDGET, "earlier"], value);
  return [
    good("S-15", "20,000 earlier versions", listed({ size: 20_000, root })),
    bad("S-15", "20,001 earlier versions", listed({ size: 20_001, root })),
    bad("S-15", "a negative number of earlier versions", listed({ size: -1, root })),
    bad("S-15", "half an earlier version", listed({ size: 0.5, root })),
    bad("S-15", "a root of 31 bytes", listed({ size: 1, root: Buffer.alloc(31).toString("base64") })),
    bad("S-15", "an empty list with another root", listed({ size: 0, root })),
    bad("S-15", "the root of an empty list for one version", listed({ size: 1, root: empty })),
    bad("S-15", "no root", listed({ size: 1 })),
    bad("S-15", "a list that is null", listed(null)),
    bad("S-15", "a root without padding", listed({ size: 1, root: root.replace("=", "") }), "MALFORMED", "C-2"),
  ];
}

function previous(value: Json): JsonObject {
  return put(claim(), ["predicate", "packages", WIDGET, "previous"], value);
}

function twoOfAlice(): [HeldKey, HeldKey, HeldKey] {
  const [one, other] = [held("alice", alice), held("alice", aliceBackup)];
  return one.key < other.key ? [one, other, held("bob", bob)] : [other, one, held("bob", bob)];
}

function four(): HeldKey[] {
  return [held("alice", alice), held("bob", bob), held("carol", carol), held("dave", dave)];
}

function many(count: number): HeldKey[] {
  return Array.from({ length: count }, (_, i) => {
    const label = `h${String(i).padStart(2, "0")}`;
    return held(label, makeSoftKey({ seed: label }));
  });
}
