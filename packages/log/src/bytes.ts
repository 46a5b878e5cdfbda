// The last four characters of the canonical form: the unused bits before padding are zero.
const TAIL = /^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)$/;

/** [C-2] Standard base64 with padding; `undefined` for anything but the canonical form. */
export function parseBase64(text: string): Uint8Array | undefined {
  if (text === "") return new Uint8Array(0);
  if (text.length % 4 !== 0 || !TAIL.test(text.slice(-4)) || text.includes("-") || text.includes("_")) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = Buffer.from(text, "base64");
  // Node passes over characters that are not base64's (but for the two of base64url, looked for above): then something is missing.
  return bytes.length === (text.length / 4) * 3 - padding ? plainBytes(bytes) : undefined;
}

/** A Buffer's memory as a plain byte array: no copy, but none of a Buffer's own ways either. */
export function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** A copy that shares no memory. A Buffer's own `slice` would be a view, and plain byte arrays are what callers compare with. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}
