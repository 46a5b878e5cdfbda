import { hash } from "node:crypto";
import type { Json, JsonObject } from "../../src/index.ts";
import { CHARTERED, NO_PACKAGE_IDS, NO_SUBJECT_IDS, SECURITY } from "./kinds-authority.ts";
import {
  bad,
  badSubjects,
  badValues,
  good,
  type KindCase,
  NO_REFERENCES,
  reference,
  statement,
  strictly,
  subjectsOf,
} from "./kind-case.ts";
import { GADGET, put, WIDGET } from "./payload-parts.ts";

const FIRST = `${WIDGET}@1.0.0`;
const SECOND = `${WIDGET}@1.0.1`;

/** What a short printable text is not. */
const NO_WORDS: Record<string, Json> = {
  "a number": 1,
  "a line feed": "a\n",
  "an escape sequence": "\u{1b}[2J",
  "a right-to-left override": "\u{202e}a",
  "a letter beyond ASCII": "\u{e4}",
  nothing: "",
};
/** What is no printable text without space. */
const NO_WORD: Record<string, Json> = { ...NO_WORDS, "a space": "a b" };

const NO_COMMITTEE: Record<string, Json> = {
  "a package": WIDGET,
  "a log": CHARTERED,
  "a name alone": "security",
  null: null,
};

/** Holds by [S-31]. */
export function holdCases(): KindCase[] {
  const words = { reason: "It steals tokens.", osv: "GHSA-abcd-1234-wxyz", renews: null };
  const value = statement("hold", subjectsOf(FIRST, SECOND), { by: SECURITY, ...words });
  const renewed = { by: WIDGET, reason: "r".repeat(280), osv: null, renews: reference("hold") };
  const own = statement("hold", subjectsOf(FIRST), renewed);
  const place = (name: string): string[] => ["predicate", name];
  return [
    good("S-31", "by a committee", value, [SECURITY], { by: SECURITY, releases: [FIRST, SECOND], ...words }),
    good("S-31", "by the package, renewed", own, [WIDGET], { releases: [FIRST], ...renewed }),
    ...badSubjects(value, { [WIDGET]: "C-11", [SECURITY]: "C-11", [`${WIDGET}@latest`]: "C-11", "npm:x@1.0.0": "C-9" }),
    ...strictly("S-31", value, ["predicate"]),
    ...badValues("S-31", value, place("by"), { "a release": FIRST, "a holder": "alice", null: null }, "C-17"),
    ...badValues("S-31", value, place("by"), { "another package": GADGET }),
    ...badValues("S-31", value, place("reason"), { ...NO_WORDS, null: null, "281 characters": "r".repeat(281) }),
    ...badValues("S-31", value, place("osv"), { ...NO_WORD, "a slash": "a/b", "65 characters": "o".repeat(65) }),
    ...badValues("S-31", value, place("renews"), NO_REFERENCES, "S-26"),
  ];
}

/** Lifts by [S-32]. */
export function liftCases(): KindCase[] {
  const hold = reference("hold");
  const value = statement("lift", subjectsOf(SECURITY), { holds: { [SECURITY]: hold } });
  const own = statement("lift", subjectsOf(WIDGET), { holds: { [WIDGET]: hold } });
  return [
    good("S-32", "by a committee", value, [SECURITY], { by: SECURITY, hold }),
    good("S-32", "by a package", own, [WIDGET], { by: WIDGET, hold }),
    ...badSubjects(value, NO_SUBJECT_IDS),
    bad("S-32", "two subjects", put(value, ["subject"], subjectsOf(SECURITY, WIDGET))),
    ...strictly("S-32", value, ["predicate"]),
    ...strictly("S-32", value, ["predicate", "holds"]),
    ...badValues("S-32", value, ["predicate", "holds", SECURITY], { null: null, ...NO_REFERENCES }, "S-26"),
  ];
}

/** Funding statements by [S-36]. */
export function fundingCases(): KindCase[] {
  const packages = { [GADGET]: { previous: reference("gadget") }, [WIDGET]: { previous: reference("widget") } };
  const channels = [
    { type: "github", address: "acme" },
    { type: "open-collective", address: "https://pay.example/acme" },
  ];
  const all = { channels, manifest: hash("sha256", "funding.json"), needs: { currency: "EUR", monthly: 1000 } };
  const none = { channels: [], manifest: null, needs: null };
  const value = statement("funding", subjectsOf(GADGET, WIDGET), { packages, ...all });
  const empty = statement("funding", subjectsOf(GADGET, WIDGET), { packages, ...none });
  const channel = ["predicate", "channels", 0];
  const needs = ["predicate", "needs"];
  const eleven = Array.from({ length: 11 }, (_, i) => ({ type: "x", address: `${i + 10}` }));
  return [
    good("S-36", "two packages, with everything", value, [GADGET, WIDGET], { packages, ...all }),
    good("S-36", "two packages, with nothing", empty, [GADGET, WIDGET], { packages, ...none }),
    ...badSubjects(value, NO_PACKAGE_IDS),
    ...strictly("S-36", value, ["predicate"]),
    ...strictly("S-36", value, ["predicate", "packages"]),
    ...strictly("S-36", value, ["predicate", "packages", WIDGET]),
    ...badValues(
      "S-36",
      value,
      ["predicate", "packages", WIDGET, "previous"],
      { null: null, ...NO_REFERENCES },
      "S-26",
    ),
    ...strictly("S-36", value, channel),
    ...strictly("S-36", value, needs),
    ...badValues("S-36", value, ["predicate", "channels"], {
      null: null,
      unsorted: channels.toReversed(),
      twice: [channels[0]!, channels[0]!],
    }),
    ...badValues("S-36", value, ["predicate", "channels"], { "eleven of them": eleven }, "C-15", "TOO_LARGE"),
    ...badValues("S-36", value, [...channel, "type"], { ...NO_WORD, capitals: "GitHub", "33 letters": "t".repeat(33) }),
    ...badValues("S-36", value, [...channel, "address"], { ...NO_WORD, "257 characters": "a".repeat(257) }),
    ...badValues("S-36", value, ["predicate", "manifest"], {
      "31 bytes": "00".repeat(31),
      capitals: "AB".repeat(32),
      "a number": 1,
    }),
    ...badValues("S-36", value, [...needs, "currency"], {
      lower: "eur",
      "two letters": "EU",
      "a number": 1,
      null: null,
    }),
    ...badValues("S-36", value, [...needs, "monthly"], {
      negative: -1,
      half: 0.5,
      "1e9 + 1": 1_000_000_001,
      text: "1",
      null: null,
    }),
  ];
}

/** Proofs by [S-37]. */
export function proofCases(): KindCase[] {
  const claim = reference("claim");
  const proofs = {
    [GADGET]: { claim, letter: "a", version: "1.0.1", sha512: "ab".repeat(64) },
    [WIDGET]: { claim, letter: "b", evidence: "https://git.example/widget/.touchmark" },
  };
  const value = statement("proof", subjectsOf(GADGET, WIDGET), { proofs });
  const [ofRegistry, byHand] = [
    ["predicate", "proofs", GADGET],
    ["predicate", "proofs", WIDGET],
  ];
  return [
    good("S-37", "of two claims", value, [GADGET, WIDGET], { proofs }),
    ...badSubjects(value, NO_PACKAGE_IDS),
    ...strictly("S-37", value, ["predicate"]),
    ...strictly("S-37", value, ["predicate", "proofs"]),
    ...strictly("S-37", value, ofRegistry),
    ...strictly("S-37", value, byHand),
    ...[ofRegistry, byHand].flatMap((place) =>
      badValues("S-37", value, [...place, "claim"], { null: null, ...NO_REFERENCES }, "S-26"),
    ),
    ...badValues("S-37", value, [...byHand, "letter"], { a: "a", e: "e", B: "B", two: "bc", null: null }),
    ...badValues("S-37", value, [...ofRegistry, "letter"], { b: "b" }),
    ...badValues("S-37", value, [...ofRegistry, "version"], { "a tag": "latest", null: null }),
    ...badValues("S-37", value, [...ofRegistry, "sha512"], { short: "ab", capitals: "AB".repeat(64), null: null }),
    ...badValues("S-37", value, [...byHand, "evidence"], { ...NO_WORD, null: null, "257 characters": "e".repeat(257) }),
  ];
}

/** Endorsements by [S-38]. */
export function endorseCases(): KindCase[] {
  const claims = {
    [GADGET]: { claim: reference("gadget"), confirms: [] },
    [WIDGET]: { claim: reference("widget"), confirms: ["a", "b", "d"] },
  };
  const value = statement("endorse", subjectsOf(GADGET, WIDGET), { by: SECURITY, claims });
  const place = ["predicate", "claims", WIDGET];
  return [
    good("S-38", "of two claims", value, [SECURITY], { by: SECURITY, claims }),
    ...badSubjects(value, NO_PACKAGE_IDS),
    ...strictly("S-38", value, ["predicate"]),
    ...strictly("S-38", value, ["predicate", "claims"]),
    ...strictly("S-38", value, place),
    ...badValues("S-38", value, ["predicate", "by"], NO_COMMITTEE, "C-17"),
    ...badValues("S-38", value, [...place, "claim"], { null: null, ...NO_REFERENCES }, "S-26"),
    ...badValues("S-38", value, [...place, "confirms"], {
      unsorted: ["b", "a"],
      twice: ["a", "a"],
      e: ["e"],
      "no list": "ab",
      null: null,
    }),
    ...badValues(
      "S-38",
      value,
      [...place, "confirms"],
      { "five of them": ["a", "b", "c", "d", "e"] },
      "C-15",
      "TOO_LARGE",
    ),
  ];
}

/** Reviews by [S-39]. */
export function reviewCases(): KindCase[] {
  const digests = (id: string): JsonObject => ({
    sha512: hash("sha512", `tgz of ${id}`),
    tarSha512: hash("sha512", `tar of ${id}`),
  });
  const subject = [FIRST, SECOND].map((name) => ({ name, digest: digests(name) }));
  const tool = { name: "scan", version: "2.1", rules: hash("sha256", "rules") };
  const found: Record<string, JsonObject> = {
    [FIRST]: { base: null, verdict: "bad", tool: null },
    [SECOND]: { base: "1.0.0", verdict: "good", tool },
  };
  const value = statement("review", subject, { by: SECURITY, replaces: null, reviews: found });
  const again = statement("review", subject, { by: SECURITY, replaces: reference("review"), reviews: found });
  const said = (version: string, id: string): JsonObject => ({
    packageId: WIDGET,
    version,
    ...digests(id),
    ...found[id]!,
  });
  const reviews = { [FIRST]: said("1.0.0", FIRST), [SECOND]: said("1.0.1", SECOND) };
  const place = ["predicate", "reviews", SECOND];
  const digest = ["subject", 0, "digest"];
  return [
    good("S-39", "of two versions", value, [SECURITY], { by: SECURITY, replaces: null, reviews }),
    good("S-39", "of two versions, once more", again, [SECURITY], {
      by: SECURITY,
      replaces: reference("review"),
      reviews,
    }),
    ...strictly("S-39", value, ["predicate"]),
    ...strictly("S-39", value, ["predicate", "reviews"]),
    ...strictly("S-39", value, place),
    ...strictly("S-39", value, [...place, "tool"]),
    ...strictly("S-18", value, digest),
    bad("S-7", "no subjects", put(value, ["subject"], [])),
    bad("S-7", "subjects unsorted", put(value, ["subject"], subject.toReversed())),
    bad("C-11", "a subject without version", put(value, ["subject", 0, "name"], WIDGET)),
    ...badValues("S-39", value, ["predicate", "by"], NO_COMMITTEE, "C-17"),
    ...badValues("S-39", value, ["predicate", "replaces"], NO_REFERENCES, "S-26"),
    ...badValues("S-39", value, [...place, "base"], { "a range": "^1.0.0", "a number": 1 }, "S-18"),
    ...badValues("S-39", value, [...place, "verdict"], {
      unknown: "fine",
      capitals: "GOOD",
      null: null,
      boolean: true,
    }),
    ...badValues("S-39", value, [...place, "tool", "name"], { ...NO_WORD, "65 characters": "n".repeat(65) }),
    ...badValues("S-39", value, [...place, "tool", "version"], { ...NO_WORD, "65 characters": "v".repeat(65) }),
    ...badValues("S-39", value, [...place, "tool", "rules"], { short: "ab", capitals: "AB".repeat(32), null: null }),
  ];
}
