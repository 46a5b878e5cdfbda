import type { Json, JsonObject } from "../../src/index.ts";
import { alice, authority, bob, claim, dave, GADGET, held, noEarlier, put, release, WIDGET } from "./payload-parts.ts";
import {
  bad,
  badSubjects,
  badValues,
  digestOfAuthority,
  good,
  type KindCase,
  NO_REFERENCES,
  reference,
  statement,
  strictly,
  subjectsOf,
} from "./kind-case.ts";

export const SECURITY = "committee:security";
export const CHARTERED = "log:log.example/main";

/** What no subject id is, and the rule that says so. */
export const NO_SUBJECT_IDS: Record<string, string> = {
  "npm:widget": "C-9",
  "pypi:npmjs/widget": "C-17",
  "committee:": "C-17",
  "committee:Security": "C-17",
  "committee:a/b": "C-17",
  [`committee:${"c".repeat(64)}`]: "C-17",
  "log:": "C-17",
  "log:log example": "C-17",
  [`log:${"l".repeat(129)}`]: "C-17",
  [`${WIDGET}@1.0.0`]: "C-9",
  __proto__x: "C-17",
};

/** What is no package id, for kinds that are about packages alone. */
export const NO_PACKAGE_IDS: Record<string, string> = {
  "npm:widget": "C-9",
  [SECURITY]: "C-9",
  [CHARTERED]: "C-9",
  [`${WIDGET}@1.0.0`]: "C-9",
};

const COMMITTEE = { scope: ["*"], powers: ["adopt", "endorse", "hold", "review"], termDays: 365 };
const CHARTER = { committees: ["committee:release-team", SECURITY] };

/** Claims beyond those of payloads.json: of committees and logs [S-28], and with their own proof [S-27]. */
export function claimCases(): KindCase[] {
  const packages = (id: string, more: JsonObject = {}): JsonObject => ({
    [id]: { previous: null, earlier: noEarlier(), ...more },
  });
  const proof = { version: "1.0.1", sha512: "ab".repeat(64) };
  const proved = statement("claim", subjectsOf(WIDGET), {
    packages: packages(WIDGET, { proof }),
    authority: authority(),
  });
  const committee = statement("claim", subjectsOf(SECURITY), {
    packages: packages(SECURITY),
    authority: authority(),
    committee: COMMITTEE,
  });
  const log = statement("claim", subjectsOf(CHARTERED), {
    packages: packages(CHARTERED),
    authority: authority(),
    charter: CHARTER,
  });
  const place: (string | number)[] = ["predicate", "packages", WIDGET, "proof"];
  const says = (id: string, more: JsonObject, details: Json): JsonObject => ({
    packages: { [id]: { previous: null, earlier: { size: 0, root: EMPTY_ROOT }, proof: null, ...more } },
    authority: digestOfAuthority(authority()),
    details,
  });
  return [
    good("S-11", "a package", claim(), [WIDGET], says(WIDGET, {}, null)),
    good("S-27", "a package with its own proof", proved, [WIDGET], says(WIDGET, { proof }, null)),
    good("S-28", "a committee", committee, [SECURITY], says(SECURITY, {}, { kind: "committee", ...COMMITTEE })),
    good("S-28", "a log", log, [CHARTERED], says(CHARTERED, {}, { kind: "charter", ...CHARTER })),
    ...strictly("S-27", proved, place),
    ...badValues("S-27", proved, place, { null: null }),
    ...badValues("S-27", proved, [...place, "version"], { "a range": "^1.0.0", "a number": 1, nothing: "" }),
    ...badValues("S-27", proved, [...place, "sha512"], { "63 bytes": "ab".repeat(63), base64: "q6s=", null: null }),
    ...badSubjects(committee, NO_SUBJECT_IDS),
    ...strictly("S-11", committee, ["predicate"]),
    ...strictly("S-28", committee, ["predicate", "committee"]),
    ...strictly("S-28", log, ["predicate", "charter"]),
    ...committeeValues(committee),
    ...badValues("S-28", log, ["predicate", "charter", "committees"], {
      unsorted: CHARTER.committees.toReversed(),
      twice: [SECURITY, SECURITY],
      "no list": SECURITY,
    }),
    ...badValues(
      "S-28",
      log,
      ["predicate", "charter", "committees"],
      { "a package": [WIDGET], "a number": [1] },
      "C-17",
    ),
    ...badValues(
      "S-28",
      log,
      ["predicate", "charter", "committees"],
      { "65 of them": Array.from({ length: 65 }, (_, i) => `committee:c${i + 10}`) },
      "C-15",
      "TOO_LARGE",
    ),
    bad("S-11", "a committee with a proof", put(committee, ["predicate", "packages", SECURITY, "proof"], proof)),
    bad(
      "S-11",
      "a committee with earlier versions",
      put(committee, ["predicate", "packages", SECURITY, "earlier"], {
        size: 1,
        root: Buffer.alloc(32, 1).toString("base64"),
      }),
    ),
    bad("S-28", "a package with a committee's powers", put(claim(), ["predicate", "committee"], COMMITTEE), "S-11"),
    bad(
      "S-28",
      "a log with a committee's powers",
      put(put(log, ["predicate", "charter"]), ["predicate", "committee"], COMMITTEE),
      "S-11",
    ),
    bad(
      "S-11",
      "a committee beside a package",
      statement("claim", subjectsOf(SECURITY, WIDGET), {
        packages: { ...packages(SECURITY), ...packages(WIDGET) },
        authority: authority(),
        committee: COMMITTEE,
      }),
    ),
  ];
}

/** Changes by [S-29]. */
export function changeCases(): KindCase[] {
  const [before, other] = [reference("widget"), reference("gadget")];
  const one = statement("change", subjectsOf(WIDGET), {
    packages: { [WIDGET]: { previous: before } },
    authority: authority(),
  });
  const two = statement("change", subjectsOf(GADGET, WIDGET), {
    packages: { [GADGET]: { previous: other }, [WIDGET]: { previous: before } },
    authority: authority({ expedite: SECURITY }),
  });
  const committee = statement("change", subjectsOf(SECURITY), {
    packages: { [SECURITY]: { previous: before } },
    authority: authority(),
    committee: COMMITTEE,
  });
  const log = statement("change", subjectsOf(CHARTERED), {
    packages: { [CHARTERED]: { previous: before } },
    authority: authority(),
    charter: { committees: [] },
  });
  const says = (packages: JsonObject, details: Json, changes: JsonObject = {}): JsonObject => ({
    packages,
    authority: digestOfAuthority(authority(changes)),
    details,
  });
  const entry = { previous: before };
  return [
    good("S-29", "one package", one, [WIDGET], says({ [WIDGET]: entry }, null)),
    good(
      "S-29",
      "two packages",
      two,
      [GADGET, WIDGET],
      says({ [GADGET]: { previous: other }, [WIDGET]: entry }, null, { expedite: SECURITY }),
    ),
    good(
      "S-28",
      "a committee",
      committee,
      [SECURITY],
      says({ [SECURITY]: entry }, { kind: "committee", ...COMMITTEE }),
    ),
    good(
      "S-28",
      "a log without committees",
      log,
      [CHARTERED],
      says({ [CHARTERED]: entry }, { kind: "charter", committees: [] }),
    ),
    ...badSubjects(one, NO_SUBJECT_IDS),
    ...strictly("S-29", one, ["predicate"]),
    ...strictly("S-29", two, ["predicate", "packages"]),
    ...strictly("S-29", one, ["predicate", "packages", WIDGET]),
    ...badValues("S-29", one, ["predicate", "packages", WIDGET, "previous"], { null: null, ...NO_REFERENCES }, "S-26"),
    ...badValues(
      "S-29",
      one,
      ["predicate", "authority"],
      { null: null, "its digest": digestOfAuthority(authority()) },
      "S-12",
    ),
    bad(
      "S-13",
      "a key that is its own successor",
      put(one, ["predicate", "authority", "successors"], [alice.fingerprint]),
    ),
    bad("S-13", "more holders asked for than there are", put(one, ["predicate", "authority", "releaseThreshold"], 4)),
    bad("S-28", "a package with a charter", put(one, ["predicate", "charter"], CHARTER), "S-29"),
    bad("S-28", "a committee without its powers", put(committee, ["predicate", "committee"]), "S-29"),
    ...committeeValues(committee),
    bad(
      "S-29",
      "a log beside a package",
      statement("change", subjectsOf(CHARTERED, WIDGET), {
        packages: { [CHARTERED]: entry, [WIDGET]: entry },
        authority: authority(),
        charter: CHARTER,
      }),
    ),
  ];
}

/** Revocations by [S-30]. */
export function revokeCases(): KindCase[] {
  const keys = [alice.fingerprint, bob.fingerprint].toSorted();
  const one = statement("revoke", subjectsOf(WIDGET), { keys: [alice.fingerprint] });
  const many = statement("revoke", subjectsOf(SECURITY, CHARTERED, WIDGET), { keys });
  const numbered = Array.from({ length: 33 }, () => alice.fingerprint);
  return [
    good("S-30", "one key of one package", one, [WIDGET], { subjects: [WIDGET], keys: [alice.fingerprint] }),
    good("S-30", "two keys of three subjects", many, [SECURITY, CHARTERED, WIDGET], {
      subjects: [SECURITY, CHARTERED, WIDGET],
      keys,
    }),
    ...badSubjects(one, NO_SUBJECT_IDS),
    bad("S-7", "subjects unsorted", put(many, ["subject"], subjectsOf(WIDGET, SECURITY))),
    ...strictly("S-30", one, ["predicate"]),
    ...badValues("S-30", one, ["predicate", "keys"], {
      none: [],
      unsorted: keys.toReversed(),
      twice: [dave.fingerprint, dave.fingerprint],
      "no list": alice.fingerprint,
      "a record": [alice.record],
      "a short fingerprint": ["SHA256:AAAA"],
      "a number": [1],
    }),
    ...badValues("S-30", one, ["predicate", "keys"], { "33 of them": numbered }, "C-15", "TOO_LARGE"),
  ];
}

/** Vetoes by [S-33]. */
export function vetoCases(): KindCase[] {
  const [first, second] = [reference("security"), reference("widget")];
  const one = statement("veto", subjectsOf(WIDGET), { entries: { [WIDGET]: second } });
  const two = statement("veto", subjectsOf(SECURITY, WIDGET), { entries: { [SECURITY]: first, [WIDGET]: second } });
  return [
    good("S-33", "one entry", one, [WIDGET], { entries: { [WIDGET]: second } }),
    good("S-33", "two entries", two, [SECURITY, WIDGET], { entries: { [SECURITY]: first, [WIDGET]: second } }),
    ...badSubjects(one, NO_SUBJECT_IDS),
    ...strictly("S-33", one, ["predicate"]),
    ...strictly("S-33", two, ["predicate", "entries"]),
    ...badValues("S-33", one, ["predicate", "entries", WIDGET], { null: null, ...NO_REFERENCES }, "S-26"),
  ];
}

/** Adoptions by [S-34]. */
export function adoptCases(): KindCase[] {
  const candidate = authority({ keys: [held("dave", dave)], releaseThreshold: 1, changeThreshold: 1 });
  const previous = reference("widget");
  const committees = ["committee:a", "committee:b"];
  const value = statement("adopt", subjectsOf(WIDGET), {
    packages: { [WIDGET]: { previous } },
    authority: candidate,
    committees,
  });
  const says = { packageId: WIDGET, previous, authority: digestOfAuthority(candidate) };
  const place = ["predicate", "committees"];
  return [
    good("S-34", "with two committees", value, [WIDGET], { ...says, committees }),
    good("S-34", "with none", put(value, place, []), [WIDGET], { ...says, committees: [] }),
    ...badSubjects(value, NO_PACKAGE_IDS),
    bad("S-34", "two packages", put(value, ["subject"], subjectsOf(GADGET, WIDGET))),
    ...strictly("S-34", value, ["predicate"]),
    ...strictly("S-34", value, ["predicate", "packages"]),
    ...strictly("S-34", value, ["predicate", "packages", WIDGET]),
    ...badValues(
      "S-34",
      value,
      ["predicate", "packages", WIDGET, "previous"],
      { null: null, ...NO_REFERENCES },
      "S-26",
    ),
    ...badValues("S-34", value, place, { unsorted: committees.toReversed(), twice: [SECURITY, SECURITY], null: null }),
    ...badValues("S-34", value, place, { "a package": [WIDGET], "a name alone": ["security"] }, "C-17"),
    ...badValues(
      "S-34",
      value,
      place,
      { "five of them": ["a", "b", "c", "d", "e"].map((name) => `committee:${name}`) },
      "C-15",
      "TOO_LARGE",
    ),
  ];
}

/** Ends of adoptions by [S-35]. */
export function adoptFinalCases(): KindCase[] {
  const adoption = reference("adoption");
  const value = statement("adopt-final", subjectsOf(WIDGET), { adoptions: { [WIDGET]: adoption } });
  return [
    good("S-35", "a package", value, [WIDGET], { packageId: WIDGET, adoption }),
    ...badSubjects(value, NO_PACKAGE_IDS),
    bad("S-35", "two packages", put(value, ["subject"], subjectsOf(GADGET, WIDGET))),
    ...strictly("S-35", value, ["predicate"]),
    ...strictly("S-35", value, ["predicate", "adoptions"]),
    ...badValues("S-35", value, ["predicate", "adoptions", WIDGET], { null: null, ...NO_REFERENCES }, "S-26"),
  ];
}

/** One release, for the list of kinds to be whole; payloads.json has the others. */
export function releaseCases(): KindCase[] {
  const id = `${WIDGET}@1.0.0`;
  const value = release([id]);
  const [{ digest }] = value["subject"] as [{ digest: JsonObject }];
  const version = { packageId: WIDGET, version: "1.0.0", ...digest, base: null, stage: null };
  return [good("S-18", "one package", value, [WIDGET], { releases: { [id]: version }, source: null })];
}

const EMPTY_ROOT = Buffer.from(noEarlier().root, "base64").toString("hex");

function committeeValues(value: JsonObject): KindCase[] {
  const place = ["predicate", "committee"];
  const numbered = Array.from({ length: 65 }, (_, i) => `p${i + 10}`);
  return [
    ...badValues("S-28", value, [...place, "scope"], {
      none: [],
      unsorted: ["b", "a"],
      twice: ["a", "a"],
      "no list": "*",
      "a pattern in the middle": ["a*"],
      "a scope alone": ["@acme"],
      "a package id": [WIDGET],
      "a number": [1],
    }),
    ...badValues("S-28", value, [...place, "scope"], { "65 of them": numbered }, "C-15", "TOO_LARGE"),
    ...badValues("S-28", value, [...place, "powers"], {
      unsorted: ["hold", "adopt"],
      twice: ["hold", "hold"],
      unknown: ["release"],
      "in capitals": ["HOLD"],
      "no list": "hold",
      null: null,
    }),
    ...badValues(
      "S-28",
      value,
      [...place, "powers"],
      { "six of them": Array.from({ length: 6 }, () => "hold") },
      "C-15",
      "TOO_LARGE",
    ),
    ...badValues("S-28", value, [...place, "termDays"], { zero: 0, half: 0.5, "1,097": 1097, text: "365", null: null }),
  ];
}
