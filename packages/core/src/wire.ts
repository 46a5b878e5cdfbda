import { concatBytes, encodeUtf8, equalBytes } from "./bytes.ts";
import { CoreError } from "./errors.ts";

// The encodings of RFC 4251 section 5 that OpenSSH's key and signature blobs are made of.

/**
 * Reads an SSH blob from front to back. Each step throws `MALFORMED` under `rule` when the blob is too short. (A class, since one is made for every
 * field of every signature, and eight closures each would cost more than the reading.)
 */
export class WireReader {
  private readonly blob: Uint8Array;
  private readonly end: number;
  private readonly rule: string;
  private readonly what: string;
  private at: number;

  constructor(blob: Uint8Array, rule: string, what: string, start = 0, end: number = blob.length) {
    this.blob = blob;
    this.at = start;
    this.end = end;
    this.rule = rule;
    this.what = what;
  }

  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.blob.subarray(start, start + length);
  }

  byte(): number {
    return this.blob[this.skip(1)]!;
  }

  uint32(): number {
    const at = this.skip(4);
    const blob = this.blob;
    return ((blob[at]! << 24) | (blob[at + 1]! << 16) | (blob[at + 2]! << 8) | blob[at + 3]!) >>> 0;
  }

  string(): Uint8Array {
    return this.take(this.uint32());
  }

  /** A string that is read from front to back itself. */
  nested(rule: string, what: string): WireReader {
    const length = this.uint32();
    const start = this.skip(length);
    return new WireReader(this.blob, rule, what, start, start + length);
  }

  /** A string of printable ASCII. */
  text(): string {
    let text = "";
    for (const byte of this.string()) {
      if (byte < 0x20 || byte > 0x7e) throw this.fail("holds text that is not printable ASCII");
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** Reads a string and says whether it is this one. */
  isString(expected: Uint8Array): boolean {
    return equalBytes(this.string(), expected);
  }

  /** Goes past these bytes if they come next, and says whether they did. */
  skipIf(expected: Uint8Array): boolean {
    if (expected.length > this.end - this.at) return false;
    for (let i = 0; i < expected.length; i++) if (this.blob[this.at + i] !== expected[i]) return false;
    this.at += expected.length;
    return true;
  }

  /** Throws unless everything was read. */
  finish(): void {
    if (this.at !== this.end) throw this.fail("has trailing bytes");
  }

  private skip(length: number): number {
    if (length > this.end - this.at) throw this.fail("is cut short");
    this.at += length;
    return this.at - length;
  }

  private fail(problem: string): CoreError {
    return new CoreError("MALFORMED", this.rule, `The ${this.what} ${problem}.`);
  }
}

export function readWire(blob: Uint8Array, rule: string, what: string): WireReader {
  return new WireReader(blob, rule, what);
}

export function wireUint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function wireString(value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === "string" ? encodeUtf8(value) : value;
  return concatBytes(wireUint32(bytes.length), bytes);
}
