// Who plays in the histories, and the authorities that they may come to.
import { type Authority, type AuthorityDraft, encodeAuthority, parseAuthority, type Power } from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import { authorityOf, committee, keyOf } from "../test/support/town.ts";

export const PACKAGES = ["npm:npmjs/widget", "npm:npmjs/gadget"] as const;
export const [ONE, TWO, SHAM] = ["committee:one", "committee:two", "committee:sham"] as const;
export const COMMITTEES = [ONE, TWO, SHAM] as const;
export const POWERS: readonly Power[] = ["adopt", "endorse", "expedite", "hold", "review"];

/** By the log's charter. Nobody recognises the third. */
export const RECOGNISED: ReadonlyMap<string, readonly Power[]> = new Map([
  [ONE, POWERS],
  [TWO, POWERS],
]);

const RECOVERERS = "rudi ruth rosa";

/** What a package is claimed with, changed to or adopted by: owners, thieves, candidates, all mixed. */
export const AUTHORITIES: readonly [Authority, ...Authority[]] = [
  authorityOf("alice bob carol", 2, { recoverers: RECOVERERS }),
  authorityOf("alice", 1),
  authorityOf("alice alice/2", 1),
  authorityOf("alice alice/2", 1, { recoverers: "rudi ruth" }),
  authorityOf("alice bob", 2, { recoverers: RECOVERERS }),
  authorityOf("alice bob carol", 2, { recoverers: RECOVERERS, expedite: ONE }),
  authorityOf("alice bob carol", 2, { adoption: "open" }),
  authorityOf("alice bob carol", 2, { adoption: "never" }),
  authorityOf("alice bob carol", 2, { successors: [keyOf("erin").fingerprint] }),
  authorityOf("alice bob carol", 1, { changeThreshold: 2 }),
  authorityOf("alice alice/2 bob carol dave", 2, { changeThreshold: 3, expedite: SHAM }),
  authorityOf("alice bob carol dave", 3, { recoverers: RECOVERERS, expedite: ONE }),
  authorityOf("bob carol", 2),
  authorityOf("alice bob/2 carol", 2, { recoverers: RECOVERERS }),
  authorityOf("mallory", 1),
  authorityOf("alice mallory", 1),
  authorityOf("alice mallory mallory/2", 2),
  authorityOf("dora emil", 2),
  authorityOf("carol rudi", 1),
  authorityOf("erin", 1),
  authorityOf("erin erin/2", 1),
  authorityOf("erin frank", 2),
  authorityOf("olaf", 1),
  authorityOf("alice bob carol", 2, { recovery: { threshold: 1, keys: recordsOf([["rudi", "rudi"]]) } }),
  under([
    ["alice", "alice"],
    ["bob", "bob"],
    ["bob", "carol"],
  ]),
  under([
    ["alice", "alice"],
    ["trudy", "alice/2"],
    ["bob", "bob"],
  ]),
];

/** Of committees; some share members with each other, with the package or with a candidate. */
export const BOARDS: readonly [Authority, ...Authority[]] = [
  authorityOf("olaf olga", 2),
  authorityOf("tina tom", 2),
  authorityOf("olaf olga oscar", 2),
  authorityOf("tina tom alice", 2),
  authorityOf("olaf tina tom", 2),
  authorityOf("xena", 1),
];

/** Powers, scope and term of committees: the first as a rule. */
export const DETAILS = [
  committee([...POWERS], ["*"], 1096),
  committee([...POWERS], ["widget"]),
  committee(["hold"], ["*"], 30),
  committee(["adopt", "endorse"], ["gadget"], 400),
] as const;

/** Signs what it has no part in. */
export const STRANGER = keyOf("zed").fingerprint;

/** Keys under labels that they don't have elsewhere: a vote less for one, a vote more for another. */
function under(keys: readonly (readonly [string, string])[]): Authority {
  return parseAuthority(nobleCrypto, encodeAuthority({ keys: recordsOf(keys), releaseThreshold: 2 }));
}

function recordsOf(keys: readonly (readonly [string, string])[]): AuthorityDraft["keys"] {
  return keys.map(([holder, name]) => ({ holder, record: keyOf(name).key.record }));
}
