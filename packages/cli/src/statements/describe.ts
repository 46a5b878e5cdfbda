import { type Authority, type Claim, cleanText, countHolders, type Release, type Statement } from "@touchmark/core";
import { count, table } from "../ui.ts";

export interface Detail {
  /** Digests in full. */
  full?: boolean;
  /** Release id → how much has changed against its base. */
  changes?: ReadonlyMap<string, string>;
}

/** What a statement says, for the person who is about to sign it or wants to know. `signers` are labels or fingerprints. */
export function describeStatement(
  statement: Statement,
  digest: string,
  signers: string[],
  detail: Detail = {},
): string[] {
  const { subject, rows, remark } =
    statement.kind === "claim" ? describeClaim(statement) : describeRelease(statement, detail);
  return [
    ...subject,
    ...table([
      ...rows,
      ["for the log", statement.logs.join(", ")],
      ["signed by", signers.length === 0 ? "nobody yet" : signers.join(", ")],
      ["statement", `sha256:${digest}`],
    ]),
    ...remark,
  ];
}

/** `2 of 3 holders`. */
export function describeThreshold(threshold: number, holders: number): string {
  return `${threshold} of ${count(holders, "holder")}`;
}

/** Names for fingerprints: the holder where a claim lists the key, else the fingerprint itself. */
export function holderOf(fingerprint: string, authority: Authority | null): string {
  const keys = authority ? [...authority.keys, ...(authority.recovery?.keys ?? [])] : [];
  return keys.find((key) => key.fingerprint === fingerprint)?.holder ?? fingerprint;
}

/** As `holderOf`; where a claim doesn't say it, the keys that are enrolled here do. */
export function labelOf(
  fingerprint: string,
  authority: Authority | null,
  enrolled: readonly { holder: string; fingerprint: string }[],
): string {
  const listed = holderOf(fingerprint, authority);
  return listed === fingerprint
    ? (enrolled.find((key) => key.fingerprint === fingerprint)?.holder ?? fingerprint)
    : listed;
}

/** What losing keys means, in one sentence. */
export function describeLoss(authority: Authority): string {
  const holders = countHolders(authority.keys);
  const fatal = holders - authority.releaseThreshold + 1;
  const who =
    fatal === holders
      ? holders === 1
        ? "its holder loses every key"
        : "all holders lose their keys"
      : fatal === 1
        ? "any holder loses every key"
        : `${fatal} of the ${holders} holders lose their keys`;
  const rescue = authority.recovery ? "only the recovery keys can help" : "and there are no recovery keys";
  return `If ${who}, nothing can be released any more, ${rescue}.`;
}

interface Description {
  subject: string[];
  rows: string[][];
  remark: string[];
}

function describeClaim({ packages, authority }: Claim): Description {
  const holders = countHolders(authority.keys);
  const { recovery } = authority;
  return {
    subject: [
      "claim",
      ...table(
        [...packages].map(([name, { earlier }]) => [
          `  ${cleanText(name)}`,
          earlier.size === 0 ? "no earlier versions" : count(earlier.size, "earlier version"),
        ]),
      ),
      "keys",
      ...table(authority.keys.map(({ holder, fingerprint }) => [`  ${holder}`, fingerprint])),
      ...(recovery
        ? ["recovery keys", ...table(recovery.keys.map(({ holder, fingerprint }) => [`  ${holder}`, fingerprint]))]
        : []),
    ],
    rows: [
      ["to release", describeThreshold(authority.releaseThreshold, holders)],
      ["to change this", describeThreshold(authority.changeThreshold, holders)],
      ...(recovery ? [["to recover", describeThreshold(recovery.threshold, countHolders(recovery.keys))]] : []),
      ["adoption", authority.adoption],
      ...(authority.userVerification ? [["each signature", "with PIN or fingerprint"]] : []),
      ...(authority.deviceBound ? [["each key", "in hardware that does not copy it"]] : []),
      ["authority", authority.digest],
    ],
    remark: [describeLoss(authority)],
  };
}

function describeRelease({ releases, source }: Release, { full, changes }: Detail): Description {
  return {
    subject: [
      "release",
      ...[...releases].flatMap(([id, { sha512, base, stage }]) => [
        `  ${cleanText(id)}`,
        ...table([
          ["    sha512", full ? sha512 : `${sha512.slice(0, 32)}…`],
          ["    base", base ?? "none"],
          ...(changes?.has(id) ? [["    changes", changes.get(id)!]] : []),
          ...(stage === null ? [] : [["    stage", cleanText(stage)]]),
        ]),
      ]),
    ],
    rows: source ? [["source", `${cleanText(source.repository)} at ${source.commit}`]] : [],
    remark: [],
  };
}
