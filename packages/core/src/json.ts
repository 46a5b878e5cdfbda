import { parseUtf8 } from "./bytes.ts";
import { CoreError } from "./errors.ts";
import { cleanText } from "./text.ts";

/** A JSON value as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export interface JsonLimits {
  /** Bytes of UTF-8 at most. */
  bytes: number;
  /** Levels of nesting at most; [C-8] when left out. */
  depth?: number;
}

const MAX_DEPTH = 32; // [C-8]

/**
 * Reads JSON that Touchmark wrote: the bytes must be what `JSON.stringify` gives for the value [C-5].
 * A string is taken as the text of those bytes. That one comparison refuses duplicate keys, white space and second spellings. Throws `MALFORMED`, `TOO_LARGE`.
 */
export function parseCanonicalJson(source: Uint8Array | string, limits: JsonLimits): Json {
  checkSize(source, limits);
  const text = typeof source === "string" ? source : parseUtf8(source);
  if (typeof source === "string" && !source.isWellFormed()) {
    throw new CoreError("MALFORMED", "C-1", "The text is not valid Unicode.");
  }
  const value = parse(text);
  checkDepth(value, limits.depth ?? MAX_DEPTH, limits.depth ?? MAX_DEPTH);
  if (encodeCanonicalJson(value) !== text) {
    throw new CoreError(
      "MALFORMED",
      "C-5",
      "The document is not in canonical form.",
      "It was edited or re-written by another program.",
    );
  }
  // JSON.parse makes an ordinary property of it, but whoever copies that by assignment changes a prototype.
  if (text.includes('"__proto__":')) {
    throw new CoreError("MALFORMED", "C-7", "The document has a key that no document has: __proto__.");
  }
  return value;
}

/** The canonical form [C-5]. */
export function encodeCanonicalJson(value: unknown): string {
  return JSON.stringify(value);
}

/** Reads JSON that people or other programs wrote: any layout, but no key twice in one object [C-6]. Throws `MALFORMED`, `TOO_LARGE`. */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): Json {
  checkSize(bytes, limits);
  const text = parseUtf8(bytes);
  scan(text, limits.depth ?? MAX_DEPTH);
  return parse(text);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkSize(bytes: Uint8Array | string, limits: JsonLimits): void {
  if (bytes.length > limits.bytes) {
    throw new CoreError(
      "TOO_LARGE",
      "C-15",
      `The document is ${bytes.length} bytes long; at most ${limits.bytes} are read.`,
    );
  }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new CoreError("MALFORMED", "C-5", "The document is not JSON.", "", cause);
  }
}

/** Throws `TOO_LARGE` where a value is nested deeper than the limit [C-8]. */
function checkDepth(value: Json, left: number, limit: number): void {
  if (typeof value !== "object" || value === null) return;
  if (left === 0) throw tooDeep(limit);
  for (const item of Object.values(value)) checkDepth(item, left - 1, limit);
}

/**
 * One pass over the tokens before `JSON.parse`: it bounds the depth, and finds keys that stand twice.
 * Text that isn't JSON may pass; `JSON.parse` refuses it next.
 */
function scan(text: string, maxDepth: number): void {
  const keys: (Set<string> | null)[] = [];
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      const end = endOfString(text, i);
      noteKey(text, i, end, keys[depth - 1]);
      i = end;
    } else if (code === 0x7b || code === 0x5b) {
      depth++;
      if (depth > maxDepth) throw tooDeep(maxDepth);
      keys[depth - 1] = code === 0x7b ? new Set() : null;
    } else if (code === 0x7d || code === 0x5d) {
      depth = Math.max(0, depth - 1);
    }
  }
}

function tooDeep(limit: number): CoreError {
  return new CoreError("TOO_LARGE", "C-8", `The document is nested more than ${limit} deep.`);
}

function endOfString(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) throw new CoreError("MALFORMED", "C-5", "The document is not JSON: a string does not end.");
  } while (isEscaped(text, end));
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === 0x5c) slashes++;
  return slashes % 2 === 1;
}

function noteKey(text: string, start: number, end: number, keys: Set<string> | null | undefined): void {
  if (!keys) return;
  let next = end + 1;
  while (next < text.length && " \t\r\n".includes(text[next]!)) next++;
  if (text[next] !== ":") return;
  const spelled = text.slice(start, end + 1);
  const key = spelled.includes("\\") ? (parse(spelled) as string) : spelled.slice(1, -1);
  if (keys.has(key))
    throw new CoreError("MALFORMED", "C-6", `The key "${cleanText(key, 80)}" stands twice in one object.`);
  keys.add(key);
}
