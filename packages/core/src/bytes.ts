import { CoreError } from "./errors.ts";

const SHORT = 128; // up to here, copying ASCII is quicker than calling the platform's encoder
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of a string. Their `buffer` may not be theirs alone. */
export function encodeUtf8(text: string): Uint8Array {
  if (text.length > SHORT) return encoder.encode(text);
  const bytes = allocateBytes(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
}

/** The text of UTF-8 bytes. Throws `MALFORMED` on ill-formed UTF-8 or a byte order mark [C-1]. */
export function parseUtf8(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new CoreError("MALFORMED", "C-1", "The text is not valid UTF-8.", "", cause);
  }
  if (text.charCodeAt(0) === 0xfeff) throw new CoreError("MALFORMED", "C-1", "The text begins with a byte order mark.");
  return text;
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = allocateBytes(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Byte order of two strings' UTF-8: code point order, which differs from JavaScript's own where surrogates are. */
export function compareText(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return inCodePointOrder(x) - inCodePointOrder(y);
  }
  return a.length - b.length;
}

// Surrogates stand for code points above all others, and so go behind U+E000 to U+FFFF.
function inCodePointOrder(codeUnit: number): number {
  if (codeUnit < 0xd800) return codeUnit;
  return codeUnit >= 0xe000 ? codeUnit - 0x800 : codeUnit + 0x2000;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const HEX_DIGITS: Uint8Array = encoder.encode("0123456789abcdef");
const HEX_CHUNK = 1024;

/** Lower-case hex [C-2]. */
export function encodeHex(bytes: Uint8Array): string {
  if (bytes.length > HEX_CHUNK) return encodeHex(bytes.subarray(0, HEX_CHUNK)) + encodeHex(bytes.subarray(HEX_CHUNK));
  const codes: number[] = [];
  for (const byte of bytes) codes.push(HEX_DIGITS[byte >> 4]!, HEX_DIGITS[byte & 15]!);
  return String.fromCharCode(...codes);
}

/** Bytes of lower-case hex [C-2]; with `length`, of exactly that many bytes. Throws `MALFORMED`. */
export function parseHex(text: string, length?: number): Uint8Array {
  if (text.length % 2 !== 0 || !isHex(text, length === undefined ? text.length : 2 * length)) {
    throw new CoreError(
      "MALFORMED",
      "C-2",
      `This is not lower-case hex${length === undefined ? "" : ` of ${length} bytes`}.`,
    );
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Whether a text is so many digits of lower-case hex [C-2]. A loop, since a regular expression takes ten times as long. */
export function isHex(text: string, digits: number): boolean {
  if (text.length !== digits) return false;
  for (let i = 0; i < digits; i++) {
    const code = text.charCodeAt(i);
    const isDigit = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);
    if (!isDigit) return false;
  }
  return true;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SEXTET: Uint8Array = new Uint8Array(256).fill(255);
for (let i = 0; i < 64; i++) SEXTET[ALPHABET.charCodeAt(i)] = i;

/** Base64 with padding [C-2]. */
export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const a = bytes[i]!;
    const b = bytes[i + 1];
    const c = bytes[i + 2];
    text += ALPHABET[a >> 2]! + ALPHABET[((a & 3) << 4) | ((b ?? 0) >> 4)]!;
    text += b === undefined ? "=" : ALPHABET[((b & 15) << 2) | ((c ?? 0) >> 6)]!;
    text += c === undefined ? "=" : ALPHABET[c & 63]!;
    if (text.length > 8192) {
      parts.push(text);
      text = "";
    }
  }
  parts.push(text);
  return parts.join("");
}

/**
 * Bytes of canonical base64 with padding [C-2], by `decode` if the platform has a faster one. Throws `MALFORMED` on anything else, unused bits that are
 * set included.
 */
export function parseBase64(text: string, decode: Base64Decoder = decodeBase64): Uint8Array {
  const bytes = decode(text);
  if (bytes === undefined) throw new CoreError("MALFORMED", "C-2", "This is not canonical base64.");
  return bytes;
}

/** Undefined for what is not canonical. */
export type Base64Decoder = (text: string) => Uint8Array | undefined;

function decodeBase64(text: string): Uint8Array | undefined {
  const length = text.length;
  if (length % 4 !== 0) return undefined;
  if (length === 0) return new Uint8Array(0);
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = allocateBytes((length / 4) * 3 - padding);
  const whole = padding === 0 ? length : length - 4;
  let at = 0;
  let bad = 0;
  for (let i = 0; i < whole; i += 4) {
    const w = text.charCodeAt(i);
    const x = text.charCodeAt(i + 1);
    const y = text.charCodeAt(i + 2);
    const z = text.charCodeAt(i + 3);
    const a = SEXTET[w & 127]!;
    const b = SEXTET[x & 127]!;
    const c = SEXTET[y & 127]!;
    const d = SEXTET[z & 127]!;
    bad |= a | b | c | d | ((w | x | y | z) >> 7 === 0 ? 0 : 0xc0); // a digit, or beyond ASCII
    bytes[at++] = (a << 2) | (b >> 4);
    bytes[at++] = ((b & 15) << 4) | (c >> 2);
    bytes[at++] = ((c & 3) << 6) | d;
  }
  if (padding !== 0) {
    const a = sextet(text, whole);
    const b = sextet(text, whole + 1);
    const c = padding === 1 ? sextet(text, whole + 2) : 0;
    bad |= a | b | c;
    bytes[at++] = (a << 2) | (b >> 4);
    if (padding === 1) bytes[at] = ((b & 15) << 4) | (c >> 2);
    if (padding === 1 ? (c & 3) !== 0 : (b & 15) !== 0) return undefined;
  }
  return (bad & 0xc0) === 0 ? bytes : undefined;
}

const SLAB = 65_536;
let slab = new ArrayBuffer(0);
let used = 0;

/**
 * A byte array to be filled at once. Thousands of small arrays with memory of their own cost more than what is done with them, so they share some:
 * their `buffer` is not theirs alone.
 */
export function allocateBytes(length: number): Uint8Array {
  if (length > SLAB / 16) return new Uint8Array(length);
  if (used + length > slab.byteLength) {
    slab = new ArrayBuffer(SLAB);
    used = 0;
  }
  used += length;
  return new Uint8Array(slab, used - length, length);
}

function sextet(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code < 256 ? SEXTET[code]! : 255;
}

/** Base64url without padding (RFC 4648 section 5), as WebAuthn writes challenges. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Bytes of canonical base64url without padding. Throws `MALFORMED`. */
export function parseBase64Url(text: string): Uint8Array {
  const padding = "=".repeat((4 - (text.length % 4)) % 4);
  if (!/^[\w-]*$/.test(text)) throw new CoreError("MALFORMED", "C-2", "This is not base64url.");
  return parseBase64(text.replaceAll("-", "+").replaceAll("_", "/") + padding);
}
