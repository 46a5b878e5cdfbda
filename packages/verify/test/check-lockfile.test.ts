import { encodeUtf8 } from "@touchmark/core";
import { describe, expect, it } from "vitest";
import { checkLockfile } from "../src/check-lockfile.ts";
import { encodeIntegrity } from "../src/npm/integrity.ts";
import { parseLockfile } from "../src/npm/lockfile.ts";
import { registriesOf } from "../src/policy/policy.ts";
import { judge, policyFor } from "./wrapper-support.ts";

const MINE = `sha256:${"1".repeat(64)}`;
const OTHER = `sha256:${"2".repeat(64)}`;
const REGISTRY = "https://registry.example/";

/** What is said of one package that is installed as `pewter`, under these rules. */
function verdictOn(entry: object, packages: object, sources: object = {}, place = "pewter"): string {
  const policy = policyFor({ npmjs: [REGISTRY] }, { packages, sources });
  const document = { lockfileVersion: 3, packages: { "": {}, [`node_modules/${place}`]: entry } };
  const lockfile = parseLockfile(encodeUtf8(JSON.stringify(document)), registriesOf(policy));
  const { verdicts } = checkLockfile(lockfile, policy, judge().checker);
  const { status, reasons, enforced } = verdicts.find(({ name }) => /pewter|tin/i.test(name))!;
  return [status, ...reasons.map(({ code }) => code), enforced ? "" : "observed"]
    .filter((word) => word !== "")
    .join(" ");
}

describe("[P-4] what is installed in the place of a name", () => {
  const tin = {
    name: "tin",
    version: "1.0.0",
    resolved: `${REGISTRY}tin/-/tin-1.0.0.tgz`,
    integrity: encodeIntegrity("ab".repeat(64)),
  };

  it.each<[string, object, string]>([
    ["no rule", {}, "accepted"],
    ["ratchet", { pewter: { level: "ratchet" } }, "accepted"],
    ["an authority", { pewter: { authority: MINE } }, "rejected SOURCE_REFUSED"],
    ["another authority", { pewter: { authority: MINE }, tin: { authority: OTHER } }, "rejected SOURCE_REFUSED"],
    ["the same authority", { pewter: { authority: MINE }, tin: { authority: MINE } }, "accepted"],
    ["strict", { pewter: { level: "strict" } }, "rejected SOURCE_REFUSED"],
    [
      "an authority, and the alias' target is only observed",
      { pewter: { authority: MINE }, tin: { level: "observe" } },
      "rejected SOURCE_REFUSED",
    ],
    [
      "observed, both of them",
      { "*": { level: "observe" }, pewter: { level: "observe", authority: MINE } },
      "rejected SOURCE_REFUSED observed",
    ],
  ])("by an alias: %s", (_, packages, expected) => {
    expect(verdictOn(tin, packages)).toBe(expected);
  });

  it.each<[string, object, object]>([
    ["git", { version: "1.0.0", resolved: "git+https://git.example/x.git#0123" }, { git: "allow" }],
    [
      "disk",
      { version: "1.0.0", resolved: "file:pewter.tgz", integrity: encodeIntegrity("ab".repeat(64)) },
      { file: "allow" },
    ],
    ["another package's folder", { resolved: "node_modules/carrier/pewter", link: true }, { file: "allow" }],
    [
      "elsewhere",
      { version: "1.0.0", resolved: "https://elsewhere.example/p.tgz", integrity: encodeIntegrity("ab".repeat(64)) },
      { remote: "allow" },
    ],
  ])("by what comes from %s, though the policy allows that", (_, entry, sources) => {
    expect(verdictOn(entry, {}, sources)).toBe("accepted");
    expect(verdictOn(entry, { pewter: { authority: MINE } }, sources)).toBe("rejected SOURCE_REFUSED");
    expect(verdictOn(entry, {})).toBe("rejected SOURCE_REFUSED");
  });

  it.each(["Pewter", "PEWTER", "pewter.", "pewter. ."])("by what some file systems take for it: %s", (place) => {
    expect(verdictOn(tin, { "*": { level: "observe" }, pewter: { authority: MINE } }, {}, place)).toMatch(
      /^rejected (?:SOURCE_REFUSED|NAME_MALFORMED)$/,
    );
    expect(verdictOn({ ...tin, name: "Tin" }, { "*": { level: "observe" } }, {}, "Tin")).toMatch(/observed$/);
  });

  it("by a name that is none", () => {
    expect(verdictOn(tin, {}, {}, "pewter\u202e")).toBe("rejected NAME_MALFORMED");
    expect(verdictOn(tin, {}, {}, "Pewter")).toBe("accepted");
  });

  it("by the repository's own is its own affair", () => {
    const own = { resolved: "packages/pewter", link: true };
    expect(verdictOn(own, { pewter: { authority: MINE } })).toBe("accepted");
  });
});
