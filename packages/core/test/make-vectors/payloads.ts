import type { JsonObject } from "../../src/index.ts";
import { claimPayloads } from "./claim-payloads.ts";
import { bad, badText, good, type PayloadCase } from "./payload-case.ts";
import { claim, GADGET, get, LOG, put, release, WIDGET } from "./payload-parts.ts";
import { releasePayloads } from "./release-payloads.ts";

/** Statements by chapter 03 (and by [C-5] to [C-8]), kept and broken. */
export function payloadCases(): PayloadCase[] {
  return [...form(), ...claimPayloads(), ...releasePayloads()];
}

function form(): PayloadCase[] {
  const value = release();
  const text = JSON.stringify(value);
  const logs = (...names: string[]): JsonObject => put(value, ["predicate", "logs"], names);
  const numbered = Array.from({ length: 9 }, (_, i) => `log${i}.example`);
  const deep = `${"[".repeat(9)}${"]".repeat(9)}`;
  const { _type, subject, predicateType, predicate } = value;
  return [
    badText("C-1", "a byte order mark", `\u{feff}${text}`),
    badText("C-5", "nothing", ""),
    badText("C-5", "not JSON", "{"),
    badText("C-5", "white space", text.replace('","predicate"', '", "predicate"')),
    badText("C-5", "a line feed at the end", `${text}\n`),
    badText("C-5", "a key twice", text.replace('"base":null', '"base":null,"base":null')),
    badText("C-5", "1.0 for 1", JSON.stringify(claim()).replace('"releaseThreshold":2', '"releaseThreshold":2.0')),
    badText("C-5", "1e0 for 1", JSON.stringify(claim()).replace('"releaseThreshold":2', '"releaseThreshold":2e0')),
    badText("C-5", "an escaped letter", text.replace('"base"', '"b\\u0061se"')),
    badText("C-5", "an escaped slash", text.replace("https://", "https:\\/\\/")),
    badText("C-7", "a key __proto__", text.replace('"base":null', '"base":null,"__proto__":{"base":"1.0.0"}')),
    badText(
      "C-7",
      "logs by way of __proto__",
      text.replace('"predicate":{', '"predicate":{"__proto__":{"logs":["x"]},'),
    ),
    badText("C-8", "nesting", text.replace("null", deep), "TOO_LARGE"),
    bad("S-6", "a list", [value]),
    bad("S-6", "another field", { ...value, extra: 1 }),
    bad("S-6", "no predicate", { _type, subject, predicateType }),
    bad("S-6", "another order", { subject, _type, predicateType, predicate }),
    bad("S-6", "another type", { ...value, _type: "https://in-toto.io/Statement/v0.1" }),
    bad("S-6", "a predicate that is null", { ...value, predicate: null }),
    bad("S-6", "a predicate that is a list", { ...value, predicate: [predicate] }),
    bad("S-7", "no subject", { ...value, subject: [] }),
    bad("S-7", "subjects that are no list", { ...value, subject: get(value, ["subject", 0]) }),
    bad("S-7", "a subject with another field", put(value, ["subject", 0, "uri"], "x")),
    bad("S-7", "a subject whose name is a number", put(value, ["subject", 0, "name"], 1)),
    bad("S-7", "subjects unsorted", release([`${WIDGET}@1.0.0`, `${GADGET}@1.0.0`])),
    bad("S-7", "a subject twice", put(value, ["subject", 1], get(value, ["subject", 0]))),
    bad("C-15", "501 subjects", { ...value, subject: Array.from({ length: 501 }, () => 0) }, "TOO_LARGE"),
    good("S-8", "eight logs", logs(...numbered.slice(0, 8))),
    bad("S-8", "no logs", put(value, ["predicate", "logs"])),
    bad("S-8", "an empty list of logs", logs()),
    bad("S-8", "nine logs", logs(...numbered), "TOO_LARGE", "C-15"),
    bad("S-8", "logs unsorted", logs("b.example", "a.example")),
    bad("S-8", "a log twice", logs(LOG, LOG)),
    bad("S-8", "a log with a space", logs("log example")),
    bad("S-8", "a log with a plus", logs("log+example")),
    bad("S-8", "a log of 129 characters", logs("l".repeat(129))),
    bad("S-8", "a log that is a number", put(value, ["predicate", "logs"], [1])),
    bad("S-9", "a time", put(value, ["predicate", "time"], 1), "MALFORMED", "S-18"),
    bad("S-10", "another kind", { ...value, predicateType: "urn:touchmark:transfer:v1" }, "UNKNOWN_KIND"),
    bad("S-10", "another version", { ...value, predicateType: "urn:touchmark:release:v2" }, "UNKNOWN_KIND"),
    bad("S-10", "a kind without version", { ...value, predicateType: "urn:touchmark:release" }, "UNKNOWN_KIND"),
    bad("S-10", "a kind in capitals", { ...value, predicateType: "urn:touchmark:RELEASE:v1" }, "UNKNOWN_KIND"),
    bad("S-10", "a kind that is a number", { ...value, predicateType: 1 }),
  ];
}
