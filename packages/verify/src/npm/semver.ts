import { isVersion } from "@touchmark/core";

/** Precedence of two versions by semver.org 2.0.0, section 11: negative, zero or positive. Build metadata doesn't count. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let i = 0; i < 3; i++) {
    const order = compareNumbers(left.core[i]!, right.core[i]!);
    if (order !== 0) return order;
  }
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length;
  for (let i = 0; i < Math.max(left.pre.length, right.pre.length); i++) {
    const order = compareIdentifiers(left.pre[i], right.pre[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** `version` must be one by [C-10]. */
export function isPrerelease(version: string): boolean {
  return partsOf(version).pre.length > 0;
}

/** The version that a registry makes of what stands in a package.json: without a leading `v` or `=`, and without build metadata. */
export function cleanVersion(text: string): string | undefined {
  const version = text
    .trim()
    .replace(/^[=v]+\s*/, "")
    .replace(/\+.*$/s, "");
  return isVersion(version) ? version : undefined;
}

function partsOf(version: string): { core: string[]; pre: string[] } {
  const [plain = ""] = version.split("+", 1);
  const dash = plain.indexOf("-");
  const core = (dash < 0 ? plain : plain.slice(0, dash)).split(".");
  return { core, pre: dash < 0 ? [] : plain.slice(dash + 1).split(".") };
}

function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return compareNumbers(a, b);
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}

/** Digits without leading zeros, of any length. */
function compareNumbers(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : Number(a > b);
}
