/**
 * Canonical JSON in lines [C-5]: one outermost object, a member a line, and the members of its objects and lists a line each. It is written and read
 * line by line, so that a document of many megabytes costs one pass and each item is looked at by whoever knows its form.
 */
import { isUtf8 } from "node:buffer";
import { LogError } from "./error.ts";

/** A member of the document: its JSON text, or the items of its object or list, each the text of a line. */
export type Member = readonly [
  key: string,
  value: string | { readonly brackets: "{}" | "[]"; readonly items: readonly string[] },
];

/** The members of a document whose frame was checked. The texts are still to be parsed, strictly, by their own form. */
export type LineDocument = {
  /** The text of a member that is neither object nor list. */
  readonly scalar: (key: string) => string;
  /** The texts of the items of an object (`"key":value` each) or list. */
  readonly items: (key: string, brackets: "{}" | "[]") => readonly string[];
};

/** The text of a document. */
export function encodeLineDocument(members: readonly Member[]): string {
  const lines = members.map(([key, value]) => {
    if (typeof value === "string") return `"${key}":${value}`;
    const [open, close] = value.brackets;
    return value.items.length === 0
      ? `"${key}":${value.brackets}`
      : `"${key}":${open}\n${value.items.join(",\n")}\n${close}`;
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}

/**
 * Reads a document of at most `limit` bytes with exactly these keys in this order. Its texts are *byte strings*, one character a byte: nearly all
 * is ASCII, and decoding the few places that aren't is left to `parseText` and `parseItem`. Throws `BAD_EVIDENCE`.
 */
export function parseLineDocument(bytes: Uint8Array, keys: readonly string[], limit: number): LineDocument {
  if (bytes.length > limit) throw malformed("is too large");
  if (!isUtf8(bytes)) throw malformed("is not valid UTF-8"); // [C-1]
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1").split("\n");
  const members = new Map<string, Member[1]>();
  let at = 0;
  const next = (): string => {
    const line = lines[at++];
    if (line === undefined) throw malformed("ends too early");
    return line;
  };
  if (next() !== "{") throw malformed("does not begin as it should");
  for (const [place, key] of keys.entries()) {
    const comma = place < keys.length - 1 ? "," : "";
    const line = next();
    const head = `"${key}":`;
    if (!line.startsWith(head)) throw malformed(`has not exactly the keys that it should: "${key}" is missing`);
    const value = line.slice(head.length);
    members.set(key, value === "{" || value === "[" ? readItems(value, comma, next) : withoutTail(value, comma));
  }
  if (next() !== "}" || next() !== "" || at !== lines.length) throw malformed("does not end as it should");
  return {
    scalar: (key) => {
      const value = members.get(key);
      if (typeof value !== "string") throw malformed(`has something else as its "${key}" than it should`);
      return value;
    },
    items: (key, brackets) => {
      const value = members.get(key);
      if (value === brackets) return [];
      if (typeof value !== "object" || value.brackets !== brackets)
        throw malformed(`has something else as its "${key}" than it should`);
      return value.items;
    },
  };
}

/** The text of a JSON string (a byte string), which must be spelled as `JSON.stringify` spells it. Throws `BAD_EVIDENCE`. */
export function parseText(json: string): string {
  const value = parseItem(json);
  if (typeof value !== "string") throw malformed("has a value that should be text");
  return value;
}

/** A JSON value (a byte string), which must be spelled as `JSON.stringify` spells it. Throws `BAD_EVIDENCE`. */
export function parseItem(json: string): unknown {
  const text = Buffer.from(json, "latin1").toString("utf8");
  try {
    const value: unknown = JSON.parse(text);
    if (JSON.stringify(value) === text) return value;
  } catch {
    // falls through to the one refusal
  }
  throw malformed("is not a canonical JSON document");
}

function readItems(open: "{" | "[", comma: string, next: () => string): Member[1] {
  const close = open === "{" ? "}" : "]";
  const items: string[] = [];
  for (let line = next(); ;) {
    const after = next();
    const last = after === `${close}${comma}`;
    items.push(withoutTail(line, last ? "" : ","));
    if (last) return { brackets: open === "{" ? "{}" : "[]", items };
    line = after;
  }
}

function withoutTail(line: string, comma: string): string {
  if (comma === "") return line;
  if (!line.endsWith(comma)) throw malformed("lacks a comma");
  return line.slice(0, -1);
}

function malformed(what: string): LogError {
  return new LogError("BAD_EVIDENCE", `The evidence ${what}.`);
}
