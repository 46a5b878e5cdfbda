import { describe, expect, test } from "vitest";
import { withCommittees } from "../src/evidence/ask-committees.ts";
import { ruleFor } from "../src/policy/policy.ts";
import { forgedLog } from "./support/forged-log.ts";
import { policyOf } from "./support/widget.ts";

const log = forgedLog();
const authority = `sha256:${"1".repeat(64)}`;
const watch = { authority, powers: ["hold", "review"] };
const committees = { "committee:watch": watch };

describe("[P-20] to [P-23] what a policy says of committees and proofs", () => {
  test("is read, and where nothing is said (a) is wanted and nothing else", () => {
    const rule = { proof: ["a", "b"], review: ["committee:watch"], expedited: "allow" };
    const policy = policyOf(log, { widget: rule }, { committees });
    expect([...policy.committees]).toEqual([["committee:watch", watch]]);
    expect(ruleFor(policy, "widget")).toMatchObject({ ...rule, expedited: true });
    for (const left of [ruleFor(policy, "other"), ruleFor(policyOf(log, { "*": {} }), "other")])
      expect(left).toMatchObject({ proof: ["a"], review: [], expedited: false });
  });

  test.each<[string, object, object, RegExp]>([
    ["committees that are a list", {}, { committees: [] }, /committees is not an object/],
    ["an id of something else", {}, { committees: { "npm:npmjs/a": watch } }, /is not a committee's id/],
    [
      "a member more",
      {},
      { committees: { "committee:a": { ...watch, more: 1 } } },
      /exactly the keys authority and powers/,
    ],
    ["no powers", {}, { committees: { "committee:a": { authority, powers: [] } } }, /the powers of/],
    ["a power twice", {}, { committees: { "committee:a": { authority, powers: ["hold", "hold"] } } }, /none twice/],
    ["an unknown power", {}, { committees: { "committee:a": { authority, powers: ["rule"] } } }, /the powers of/],
    ["an authority that is no digest", {}, { committees: { "committee:a": { ...watch, authority: "x" } } }, /64 hex/],
    [
      "too many",
      {},
      { committees: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`committee:c${i}`, watch])) },
      /more than 64/,
    ],
    ["no letters", { proof: [] }, { committees }, /proof is not some of the letters/],
    ["an unknown letter", { proof: ["f"] }, { committees }, /proof is not some of the letters/],
    ["a letter that is no list", { proof: "a" }, { committees }, /proof is not some of the letters/],
    [
      "a review by somebody unnamed",
      { review: ["committee:other"] },
      { committees },
      /does not name committees of the policy/,
    ],
    [
      "a review by who may not",
      { review: ["committee:watch"] },
      { committees: { "committee:watch": { authority, powers: ["hold"] } } },
      /that have the power to review/,
    ],
    ["reviews by nobody", { review: [] }, { committees }, /does not name committees/],
    ["expedited by a yes", { expedited: true }, { committees }, /expedited is neither allow nor deny/],
  ])("refuses %s", (_, rule, more, words) => {
    expect(() => policyOf(log, { widget: rule }, more)).toThrow(words);
  });
});

describe("[E-20] what the log is asked for", () => {
  const asked = { "npm:npmjs/widget": ["1.0.0", "2.0.0"], "npm:npmjs/other": ["3.0.0"] };

  test("nothing more where the policy recognises nobody", () => {
    expect(withCommittees(policyOf(log, {}), asked)).toBe(asked);
  });

  test("every committee, and the reviews that rules want", () => {
    const policy = policyOf(
      log,
      { widget: { review: ["committee:watch"] } },
      {
        committees: { ...committees, "committee:quiet": { authority, powers: ["hold"] } },
      },
    );
    const all = {
      ...asked,
      "committee:watch": ["npm:npmjs/widget@1.0.0", "npm:npmjs/widget@2.0.0"],
      "committee:quiet": [],
    };
    expect(withCommittees(policy, asked)).toEqual(all);
    expect(withCommittees(policy, all)).toEqual(all); // asked for twice is asked for once
  });
});
