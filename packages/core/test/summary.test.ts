import { describe, expect, test } from "vitest";
import { encodeUtf8, parseStatement, type Statement, type StatementSummary, summarizeStatement } from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import type { KindCase } from "./make-vectors/kind-case.ts";
import { readKindVectors } from "./support/vectors.ts";

const good = [...readKindVectors<KindCase>()].flatMap(([kind, cases]) =>
  cases.filter(({ error }) => error === null).map((one) => ({ ...one, kind })),
);

describe("what a person reads before the touch", () => {
  test.each(good)("of a $kind, $name: to whom, from when, for which log", ({ kind, payload, chains }) => {
    const summary = summarizeStatement(read(payload));
    const text = shown(summary);
    expect(summary.kind).toBe(kind);
    for (const id of chains!) expect(text).toContain(id);
    for (const { name } of (JSON.parse(payload) as { subject: { name: string }[] }).subject)
      if (kind !== "lift") expect(text).toContain(name);
    expect(summary.facts.at(-1)).toEqual(["for the log", "log.example/main"]);
    expect(summary.facts.some(([label]) => label === "takes effect")).toBe(kind !== "release");
    expect(summary.remark === "").toBe(kind === "release");
    expect(text).toMatch(/^[\x20-\x7e\n…]*$/);
    expect(text).not.toMatch(/undefined|null|NaN|\[object/);
  });

  const of = (kind: string, name: string): StatementSummary =>
    summarizeStatement(read(good.find((one) => one.kind === kind && one.name === name)!.payload));

  test("claim: a package with its own proof", () => {
    expect(shown(of("claim", "a package with its own proof"))).toMatchInlineSnapshot(`
      "claim
       claim
        npm:npmjs/widget: no earlier versions, proved by version 1.0.1
       keys
        alice: SHA256:7Z9JCS+QQAcJQqKXt17+lVcr5Hd0pcFGPMleKtSlBIc
        bob: SHA256:bHPyH0Xqt2/qIrH1tj5a12Kn0WVxxrPafp/yGF6m1I4
        carol: SHA256:pRLnjdxneWCWgqoMi/HwrSY9yXxo7QKGzB2dauMZXfQ
       facts
        to release: 2 of 3 holders
        to change this: 2 of 3 holders
        adoption: ask
        authority: sha256:089c931a159e3a9645b32ba444717aaa88413fdd79498ab0a4d372cd62e42f7c
        takes effect: 7 days after the last claim or proof, if its proof is the strongest
        for the log: log.example/main
      If 2 of the 3 holders lose their keys, nothing can be released any more, and there are no recovery keys."
    `);
  });

  test("claim: a committee", () => {
    expect(shown(of("claim", "a committee"))).toMatchInlineSnapshot(`
      "claim
       claim
        committee:security: new
       keys
        alice: SHA256:7Z9JCS+QQAcJQqKXt17+lVcr5Hd0pcFGPMleKtSlBIc
        bob: SHA256:bHPyH0Xqt2/qIrH1tj5a12Kn0WVxxrPafp/yGF6m1I4
        carol: SHA256:pRLnjdxneWCWgqoMi/HwrSY9yXxo7QKGzB2dauMZXfQ
       committee
        may: adopt, endorse, hold, review
        for: *
        during: 365 days
       facts
        to decide: 2 of 3 holders
        to change this: 2 of 3 holders
        adoption: ask
        authority: sha256:089c931a159e3a9645b32ba444717aaa88413fdd79498ab0a4d372cd62e42f7c
        takes effect: at once, where it is recognised
        for the log: log.example/main
      If 2 of the 3 holders lose their keys, nothing can be decided any more, and there are no recovery keys."
    `);
  });

  test("claim: a log", () => {
    expect(shown(of("claim", "a log"))).toMatchInlineSnapshot(`
      "claim
       claim
        log:log.example/main: new
       keys
        alice: SHA256:7Z9JCS+QQAcJQqKXt17+lVcr5Hd0pcFGPMleKtSlBIc
        bob: SHA256:bHPyH0Xqt2/qIrH1tj5a12Kn0WVxxrPafp/yGF6m1I4
        carol: SHA256:pRLnjdxneWCWgqoMi/HwrSY9yXxo7QKGzB2dauMZXfQ
       charter
        listens to: committee:release-team
        listens to: committee:security
       facts
        to decide: 2 of 3 holders
        to change this: 2 of 3 holders
        adoption: ask
        authority: sha256:089c931a159e3a9645b32ba444717aaa88413fdd79498ab0a4d372cd62e42f7c
        takes effect: at once, where it is recognised
        for the log: log.example/main
      If 2 of the 3 holders lose their keys, nothing can be decided any more, and there are no recovery keys."
    `);
  });

  test("change: two packages", () => {
    expect(shown(of("change", "two packages"))).toMatchInlineSnapshot(`
      "change of authority
       change of authority
        npm:npmjs/@acme/gadget: after entry 6703de542c4208c1350d4b6335e2f90e…
        npm:npmjs/widget: after entry 10045d22251324d2095c243433e88751…
       keys
        alice: SHA256:7Z9JCS+QQAcJQqKXt17+lVcr5Hd0pcFGPMleKtSlBIc
        bob: SHA256:bHPyH0Xqt2/qIrH1tj5a12Kn0WVxxrPafp/yGF6m1I4
        carol: SHA256:pRLnjdxneWCWgqoMi/HwrSY9yXxo7QKGzB2dauMZXfQ
       facts
        to release: 2 of 3 holders
        to change this: 2 of 3 holders
        in a hurry: committee:security can stand in for one holder of a release
        adoption: ask
        authority: sha256:f06763818156c0c82e9af2d0764d3640dfe9034f322a454e3d86368ef7ca8332
        takes effect: at once, or after 14 days if it weakens what was asked before
        by a single holder: after 7 days, or 14 days if it weakens; any one key can veto it until then
        by recovery keys: after 30 days; any one key can veto it until then
        for the log: log.example/main
      This takes the place of all that the authority said before. Each key that it adds has to sign it too. If 2 of the 3 holders lose their keys, nothing can be released any more, and there are no recovery keys."
    `);
  });

  test("change: a log without committees", () => {
    expect(shown(of("change", "a log without committees"))).toMatchInlineSnapshot(`
      "change of authority
       change of authority
        log:log.example/main: after entry 10045d22251324d2095c243433e88751…
       keys
        alice: SHA256:7Z9JCS+QQAcJQqKXt17+lVcr5Hd0pcFGPMleKtSlBIc
        bob: SHA256:bHPyH0Xqt2/qIrH1tj5a12Kn0WVxxrPafp/yGF6m1I4
        carol: SHA256:pRLnjdxneWCWgqoMi/HwrSY9yXxo7QKGzB2dauMZXfQ
       charter
        listens to: no committee
       facts
        to decide: 2 of 3 holders
        to change this: 2 of 3 holders
        adoption: ask
        authority: sha256:089c931a159e3a9645b32ba444717aaa88413fdd79498ab0a4d372cd62e42f7c
        takes effect: at once, or after 14 days if it weakens what was asked before
        by a single holder: after 7 days, or 14 days if it weakens; any one key can veto it until then
        by recovery keys: after 30 days; any one key can veto it until then
        for the log: log.example/main
      This takes the place of all that the authority said before. Each key that it adds has to sign it too. If 2 of the 3 holders lose their keys, nothing can be decided any more, and there are no recovery keys."
    `);
  });

  test("revoke: two keys of three subjects", () => {
    expect(shown(of("revoke", "two keys of three subjects"))).toMatchInlineSnapshot(`
      "revocation
       revocation
        for: committee:security
        for: log:log.example/main
        for: npm:npmjs/widget
       keys that are void from now on
        key: SHA256:7Z9JCS+QQAcJQqKXt17+lVcr5Hd0pcFGPMleKtSlBIc
        key: SHA256:bHPyH0Xqt2/qIrH1tj5a12Kn0WVxxrPafp/yGF6m1I4
       facts
        takes effect: at once, for all that is entered later
        for the log: log.example/main
      It cannot be undone, and no change can name these keys again. What they signed before stays good. If too few holders are left, nothing can be released until a change."
    `);
  });

  test("release: one package", () => {
    expect(shown(of("release", "one package"))).toMatchInlineSnapshot(`
      "release
       npm:npmjs/widget@1.0.0
        sha512: 97e5d1a680b65d304cec5022f5c7ef8e…
        base: none
       facts
        for the log: log.example/main
      "
    `);
  });

  test("review: of two versions", () => {
    expect(shown(of("review", "of two versions"))).toMatchInlineSnapshot(`
      "review
       npm:npmjs/widget@1.0.0
        verdict: bad
        sha512: 97e5d1a680b65d304cec5022f5c7ef8e…
        base: none: looked at as a whole
        with: no tool
       npm:npmjs/widget@1.0.1
        verdict: good
        sha512: 1087c7d6b5fabd8f580f1fd53707545b…
        base: 1.0.0
        with: scan 2.1, rules 6c621d1a05138a7888d37d9269a9da8e…
       facts
        by: committee:security
        takes effect: at once; it replaces this committee's earlier review of these versions
        for the log: log.example/main
      Whoever follows this committee installs these very bytes, or refuses them, by its word."
    `);
  });

  test("hold: by a committee", () => {
    expect(shown(of("hold", "by a committee"))).toMatchInlineSnapshot(`
      "hold
       hold
        not to install: npm:npmjs/widget@1.0.0
        not to install: npm:npmjs/widget@1.0.1
       facts
        by: committee:security
        because: It steals tokens.
        vulnerability: GHSA-abcd-1234-wxyz
        takes effect: at once
        lasts: 14 days
        for the log: log.example/main
      Whoever heeds this committee stops at these versions while it lasts. Without a named vulnerability it holds only what was released in the 30 days before it."
    `);
  });

  test("hold: by the package, renewed", () => {
    expect(shown(of("hold", "by the package, renewed"))).toMatchInlineSnapshot(`
      "hold
       hold
        not to install: npm:npmjs/widget@1.0.0
       facts
        by: npm:npmjs/widget
        because: rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr
        vulnerability: none named
        takes effect: at the end of the hold of entry 4a66dfa8ded7e3401775f18a5866812b…
        lasts: until it is lifted, if as many holders sign as a release needs; otherwise 3 days
        for the log: log.example/main
      Whoever checks this package stops at these versions while it lasts."
    `);
  });

  test("lift: by a committee", () => {
    expect(shown(of("lift", "by a committee"))).toMatchInlineSnapshot(`
      "lifting of a hold
       lifting of a hold
        committee:security: lifts entry 4a66dfa8ded7e3401775f18a5866812b…
       facts
        takes effect: at once
        for the log: log.example/main
      What it held can be installed again, unless something else holds it."
    `);
  });

  test("veto: one entry", () => {
    expect(shown(of("veto", "one entry"))).toMatchInlineSnapshot(`
      "veto
       veto
        npm:npmjs/widget: against entry 10045d22251324d2095c243433e88751…
       facts
        takes effect: at once
        for the log: log.example/main
      If that entry is a change, an adoption or payout addresses still waiting, it is void. If it is the last entry and can't be vetoed, this is a sign of life and nothing else. A sign of life ends an adoption."
    `);
  });

  test("adopt: with two committees", () => {
    expect(shown(of("adopt", "with two committees"))).toMatchInlineSnapshot(`
      "adoption
       adoption
        npm:npmjs/widget: after entry 10045d22251324d2095c243433e88751…
       keys
        dave: SHA256:Ws39ang87+QWo3NW5DLrqn4nryACoXCIQUHMu+iFris
       facts
        to release: 1 of 1 holder
        to change this: 1 of 1 holder
        adoption: ask
        authority: sha256:295c90b01d93e6c38df046481bedab4f101798e4445563c0386ccc5a488a5ad7
        supported by: committee:a, committee:b
        takes effect: when it is finished: after 90 days, within 30 days from then
        for the log: log.example/main
      These keys ask to take over the package from its holders. Until then any one key of the holders can veto it, and any sign of life ends it. If its holder loses every key, nothing can be released any more, and there are no recovery keys."
    `);
  });

  test("adopt: with none", () => {
    expect(shown(of("adopt", "with none"))).toMatchInlineSnapshot(`
      "adoption
       adoption
        npm:npmjs/widget: after entry 10045d22251324d2095c243433e88751…
       keys
        dave: SHA256:Ws39ang87+QWo3NW5DLrqn4nryACoXCIQUHMu+iFris
       facts
        to release: 1 of 1 holder
        to change this: 1 of 1 holder
        adoption: ask
        authority: sha256:295c90b01d93e6c38df046481bedab4f101798e4445563c0386ccc5a488a5ad7
        supported by: no committee
        takes effect: when it is finished: after 21 days, within 30 days from then
        for the log: log.example/main
      These keys ask to take over the package from its holders. Until then any one key of the holders can veto it, and any sign of life ends it. If its holder loses every key, nothing can be released any more, and there are no recovery keys."
    `);
  });

  test("adopt-final: a package", () => {
    expect(shown(of("adopt-final", "a package"))).toMatchInlineSnapshot(`
      "completion of an adoption
       completion of an adoption
        npm:npmjs/widget: by the adoption of entry e82635d64957afb282236d345b3fe0a6…
       facts
        takes effect: at once
        for the log: log.example/main
      The proposed authority takes over: the holders before it lose the package, with their recovery keys and payout addresses. Whoever relied on them is stopped until they accept the new ones."
    `);
  });

  test("funding: two packages, with everything", () => {
    expect(shown(of("funding", "two packages, with everything"))).toMatchInlineSnapshot(`
      "funding statement
       funding statement
        npm:npmjs/@acme/gadget: after entry 6703de542c4208c1350d4b6335e2f90e…
        npm:npmjs/widget: after entry 10045d22251324d2095c243433e88751…
       money goes to
        github: acme
        open-collective: https://pay.example/acme
       facts
        needed: 1000 EUR a month
        funding.json: 6893eabfb1a5a812fa541b578199746c…
        takes effect: at once if the addresses are those in force, otherwise after 14 days
        for the log: log.example/main
      Read the addresses: who gives money by this sends it there. Any one key of the package can veto new ones until then."
    `);
  });

  test("funding: two packages, with nothing", () => {
    expect(shown(of("funding", "two packages, with nothing"))).toMatchInlineSnapshot(`
      "funding statement
       funding statement
        npm:npmjs/@acme/gadget: after entry 6703de542c4208c1350d4b6335e2f90e…
        npm:npmjs/widget: after entry 10045d22251324d2095c243433e88751…
       money goes to
        nobody: no address is named
       facts
        takes effect: at once if the addresses are those in force, otherwise after 14 days
        for the log: log.example/main
      Read the addresses: who gives money by this sends it there. Any one key of the package can veto new ones until then."
    `);
  });

  test("proof: of two claims", () => {
    expect(shown(of("proof", "of two claims"))).toMatchInlineSnapshot(`
      "proof of a claim
       proof of a claim
        npm:npmjs/@acme/gadget: the claim of entry 7b9df4bc3d717f0ed93448ede872b57f…
        proof (a): version 1.0.1, sha512 abababababababababababababababab…
        npm:npmjs/widget: the claim of entry 7b9df4bc3d717f0ed93448ede872b57f…
        proof (b): https://git.example/widget/.touchmark
       facts
        takes effect: 7 days later a claim with proof (a) comes into force, if no other is as strong
        for the log: log.example/main
      Whoever can reach the registry checks that version's package.json. Proofs (b), (c) and (d) bring no claim into force: they count where a committee confirms them."
    `);
  });

  test("endorse: of two claims", () => {
    expect(shown(of("endorse", "of two claims"))).toMatchInlineSnapshot(`
      "endorsement
       endorsement
        npm:npmjs/@acme/gadget: the claim of entry 6703de542c4208c1350d4b6335e2f90e…
        has looked into: none of its proofs
        npm:npmjs/widget: the claim of entry 10045d22251324d2095c243433e88751…
        has looked into: proof a, b, d
       facts
        by: committee:security
        takes effect: 7 days later the claim comes into force, if no other is as strong
        for the log: log.example/main
      Where this committee is recognised, an endorsed claim is stronger than any that is not."
    `);
  });
});

function read(payload: string): Statement {
  return parseStatement(nobleCrypto, encodeUtf8(payload));
}

function shown({ what, sections, facts, remark }: StatementSummary): string {
  const rows = (list: readonly (readonly [string, string])[]): string[] =>
    list.map(([label, text]) => `  ${label}: ${text}`);
  return [
    what,
    ...sections.flatMap(({ title, rows: own }) => [` ${title}`, ...rows(own)]),
    " facts",
    ...rows(facts),
    remark,
  ].join("\n");
}
