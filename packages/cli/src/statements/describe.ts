import { type Authority, type Statement, summarizeStatement } from "@touchmark/core";
import { table } from "../ui.ts";

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
  const { what, sections, facts, remark } = summarizeStatement(statement);
  // Where each section is one of several versions, none of them says what the whole is.
  const apart = sections[0]?.title !== what;
  const indent = apart ? "  " : "";
  return [
    ...(apart ? [what] : []),
    ...sections.flatMap(({ title, rows }, i) => [
      `${indent}${title}`,
      ...table(detailed(rows, statement, i, detail).map(([label, text]) => [`${indent}  ${label}`, text])),
    ]),
    ...table([
      ...facts,
      ["signed by", signers.length === 0 ? "nobody yet" : signers.join(", ")],
      ["statement", `sha256:${digest}`],
    ]),
    ...(remark === "" ? [] : [remark]),
  ];
}

type Rows = readonly (readonly [label: string, text: string])[];

// A release has one section for each of its subjects, in their order.
function detailed(rows: Rows, statement: Statement, section: number, { full, changes }: Detail): Rows {
  if (statement.kind !== "release") return rows;
  const [id, { sha512 }] = [...statement.releases][section]!;
  const change = changes?.get(id);
  return rows.flatMap(([label, text]): Rows => {
    if (label === "sha512" && full === true) return [[label, sha512]];
    return label === "base" && change !== undefined
      ? [
          [label, text],
          ["changes", change],
        ]
      : [[label, text]];
  });
}

/** The authority that a statement sets or proposes, or null. */
export function statedAuthority(statement: Statement): Authority | null {
  return "authority" in statement ? statement.authority : null;
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
