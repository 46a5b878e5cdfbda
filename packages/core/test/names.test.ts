import { describe, expect, test } from "vitest";
import {
  encodeHex,
  encodePackageId,
  isCommitteeId,
  isHolder,
  isLogId,
  isLogOrigin,
  isPackageId,
  isPackagePattern,
  isSubjectId,
  packageIdHash,
  parsePackageId,
  parseReleaseId,
  parseSubjectId,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import { refusalOf } from "./support/refusal.ts";

describe("names", () => {
  test.each([
    ["npm:npmjs/widget", "npmjs", "widget"],
    ["npm:npmjs/@acme/widget", "npmjs", "@acme/widget"],
    ["npm:r.example-1/W.i_d~g-e", "r.example-1", "W.i_d~g-e"],
    [`npm:${"r".repeat(63)}/${"n".repeat(214)}`, "r".repeat(63), "n".repeat(214)],
    ["npm:0/-", "0", "-"],
  ])("[C-9] %s is a package id", (text, registry, name) => {
    expect(parsePackageId(text)).toEqual({ registry, name });
    expect(encodePackageId({ registry, name })).toBe(text);
  });

  test.each([
    "",
    "npm:",
    "npm:npmjs",
    "npm:npmjs/",
    "npm:/widget",
    "npmjs/widget",
    "NPM:npmjs/widget",
    "npm:Npmjs/widget",
    "npm:-npmjs/widget",
    "npm:npmjs/.widget",
    "npm:npmjs/_widget",
    "npm:npmjs/@acme",
    "npm:npmjs/@acme/",
    "npm:npmjs/@/widget",
    "npm:npmjs/@acme/.widget",
    "npm:npmjs/@.acme/widget",
    "npm:npmjs/acme/widget",
    "npm:npmjs/@acme/widget/more",
    "npm:npmjs/../widget",
    "npm:npmjs/wid get",
    "npm:npmjs/widget\n",
    "npm:npmjs/widgét",
    "npm:npmjs/wid%67et",
    "npm:npmjs/widget@1.0.0",
    `npm:${"r".repeat(64)}/n`,
    `npm:r/${"n".repeat(215)}`,
  ])("[C-9] %j is none", (text) => {
    expect(refusalOf(() => parsePackageId(text))).toEqual({ code: "MALFORMED", rule: "C-9" });
  });

  test("[C-9] no parts make an id that isn't one", () => {
    expect(refusalOf(() => encodePackageId({ registry: "a/b", name: "c" }))).toEqual({
      code: "MALFORMED",
      rule: "C-9",
    });
    expect(refusalOf(() => encodePackageId({ registry: "a", name: "" }))).toEqual({ code: "MALFORMED", rule: "C-9" });
  });

  test.each([
    "0.0.0",
    "1.2.3",
    "1.0.0-rc.1",
    "1.0.0-0a",
    "1.0.0+001",
    "1.0.0-x-y.z+a.b-c",
    "99999999999.0.0",
    `1.2.3-${"a".repeat(250)}`,
  ])("[C-10], [C-11] @%s is a version", (version) => {
    expect(parseReleaseId(`npm:npmjs/@acme/widget@${version}`)).toEqual({
      packageId: "npm:npmjs/@acme/widget",
      version,
    });
  });

  test.each([
    "",
    "1",
    "1.2",
    "v1.2.3",
    "01.2.3",
    "1.2.3-",
    "1.2.3-01",
    "1.2.3-a..b",
    "1.2.3+",
    "1.2.3+a+b",
    "1.2.3 ",
    "=1.2.3",
    "1.2.x",
    `1.2.3-${"a".repeat(251)}`,
    "١.٢.٣",
  ])("[C-10], [C-11] @%s is none", (version) => {
    expect(refusalOf(() => parseReleaseId(`npm:npmjs/widget@${version}`))).toEqual({ code: "MALFORMED", rule: "C-11" });
  });

  test("[C-11] without a version, or without a package", () => {
    expect(refusalOf(() => parseReleaseId("npm:npmjs/widget"))).toEqual({ code: "MALFORMED", rule: "C-11" });
    expect(refusalOf(() => parseReleaseId("npm:npmjs/@acme/widget"))).toEqual({ code: "MALFORMED", rule: "C-11" });
    expect(refusalOf(() => parseReleaseId("@1.0.0"))).toEqual({ code: "MALFORMED", rule: "C-9" });
  });

  test("[C-12] holders", () => {
    expect(["a", "0", "alice.b_c-1", "a".repeat(39)].every(isHolder)).toBe(true);
    expect(["", "-a", ".a", "Alice", "a b", "a\n", "á", "a".repeat(40)].some(isHolder)).toBe(false);
  });

  test("[C-13] log origins", () => {
    expect(["log.example/main", "x", "!*,~", "x".repeat(128)].every(isLogOrigin)).toBe(true);
    expect(["", "a b", "a+b", "a\n", "a\u{7f}", "é", "x".repeat(129)].some(isLogOrigin)).toBe(false);
  });

  test.each([
    ["npm:npmjs/@acme/widget", { kind: "package", registry: "npmjs", name: "@acme/widget" }],
    ["committee:security.team-1", { kind: "committee", name: "security.team-1" }],
    [`committee:${"c".repeat(63)}`, { kind: "committee", name: "c".repeat(63) }],
    ["log:log.example/main", { kind: "log", origin: "log.example/main" }],
    [`log:${"!".repeat(128)}`, { kind: "log", origin: "!".repeat(128) }],
  ])("[C-17] %s is a subject id", (text, id) => {
    expect(parseSubjectId(text)).toEqual(id);
    expect(isSubjectId(text)).toBe(true);
    expect([isPackageId(text), isCommitteeId(text), isLogId(text)]).toEqual(
      ["package", "committee", "log"].map((kind) => kind === id.kind),
    );
  });

  test.each([
    ["", "C-17"],
    ["npm:npmjs", "C-9"],
    ["NPM:npmjs/widget", "C-17"],
    ["committee:", "C-17"],
    ["committee:Security", "C-17"],
    ["committee:-a", "C-17"],
    ["committee:a\n", "C-17"],
    ["committee:s\u{435}curity", "C-17"],
    ["committee:secu\u{200b}rity", "C-17"],
    [`committee:${"c".repeat(64)}`, "C-17"],
    ["log:", "C-17"],
    ["log:a b", "C-17"],
    ["log:a+b", "C-17"],
    [`log:${"l".repeat(129)}`, "C-17"],
  ])("[C-17] %j is none", (text, rule) => {
    expect(refusalOf(() => parseSubjectId(text))).toEqual({ code: "MALFORMED", rule });
    expect(isSubjectId(text)).toBe(false);
  });

  test("[P-4] patterns of names", () => {
    expect(["*", "widget", "@acme/widget", "@acme/*"].every(isPackagePattern)).toBe(true);
    expect(
      ["", "**", "wid*", "@acme", "@acme/", "@*/x", "acme/*", "@acme/wid*", "npm:npmjs/x"].some(isPackagePattern),
    ).toBe(false);
  });

  test("[C-14] the package id hash", () => {
    expect(encodeHex(packageIdHash(nobleCrypto, "npm:npmjs/widget"))).toBe(
      "e646f7633889d7e8090cf102a6c1152a38f5031114b2949ac3abd46d6ad087fd",
    );
  });
});
