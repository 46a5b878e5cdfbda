// The last four characters of the canonical form: the unused bits before padding are zero.
const TAIL = /^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)$/;

/** [C-2] Standard base64 with padding; `undefined` for anything but the canonical form. */
export function parseBase64(text: string): Uint8Array | undefined {
  if (text === "") return new Uint8Array(0);
  if (text.length % 4 !== 0 || !TAIL.test(text.slice(-4)) || text.includes("-") || text.includes("_")) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const length = (text.length / 4) * 3 - padding;
  const at = reserve(length);
  // Node passes over characters that are not base64's (but for the two of base64url, looked for above): then something is missing.
  return slab.base64Write(text, at, length) === length ? new Uint8Array(slab.buffer, at, length) : undefined;
}

/** The bytes of a short string that holds one in each character, U+0000 to U+00FF. */
export function bytesOfLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// These methods are half as dear as write(…, "latin1") and the like; Node has them on every Buffer, its types don't.
export type FastBuffer = Buffer & {
  latin1Write(text: string, offset: number, length: number): number;
  latin1Slice(start: number, end: number): string;
  hexSlice(start: number, end: number): string;
  base64Write(text: string, offset: number, length: number): number;
};

export function bufferOver(bytes: Uint8Array): FastBuffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as FastBuffer;
}

/** Bytes `start` to `end` in lower-case hex. */
export function hexOf(bytes: Uint8Array, start: number, end: number): string {
  return slab.hexSlice.call(bytes, start, end); // a Buffer's method works on any byte array, and a Buffer over it costs as much again
}

const SLAB = 16_384;
let slab = Buffer.alloc(0) as FastBuffer;
let used = 0;

// Thousands of small arrays with memory of their own cost more than what is done with them, so they share some: as little as
// Node's own buffers do, since whoever keeps one array keeps its neighbours' memory.
function reserve(length: number): number {
  if (used + length > slab.length) {
    slab = Buffer.allocUnsafeSlow(Math.max(SLAB, length)) as FastBuffer;
    used = 0;
  }
  used += length;
  return used - length;
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** A copy that shares no memory. A Buffer's own `slice` would be a view, and plain byte arrays are what callers compare with. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}
