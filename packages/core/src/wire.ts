import { concatBytes, encodeUtf8, equalBytes } from "./bytes.ts";
import { CoreError } from "./errors.ts";

// The encodings of RFC 4251 section 5 that OpenSSH's key and signature blobs are made of.

/** Reads an SSH blob from front to back. Each step throws `MALFORMED` under `rule` when the blob is too short. */
export interface WireReader {
  take(length: number): Uint8Array;
  byte(): number;
  uint32(): number;
  string(): Uint8Array;
  /** A string of printable ASCII. */
  text(): string;
  /** Reads a string and says whether it is this one. */
  isString(expected: Uint8Array): boolean;
  /** Throws unless everything was read. */
  end(): void;
}

export function readWire(blob: Uint8Array, rule: string, what: string): WireReader {
  let at = 0;
  const fail = (problem: string): CoreError => new CoreError("MALFORMED", rule, `The ${what} ${problem}.`);
  const take = (length: number): Uint8Array => {
    if (length > blob.length - at) throw fail("is cut short");
    at += length;
    return blob.subarray(at - length, at);
  };
  const uint32 = (): number => {
    if (blob.length - at < 4) throw fail("is cut short");
    at += 4;
    return ((blob[at - 4]! << 24) | (blob[at - 3]! << 16) | (blob[at - 2]! << 8) | blob[at - 1]!) >>> 0;
  };
  const string = (): Uint8Array => take(uint32());
  return {
    take,
    byte: () => {
      if (at === blob.length) throw fail("is cut short");
      return blob[at++]!;
    },
    uint32,
    string,
    text: () => {
      const bytes = string();
      let text = "";
      for (const byte of bytes) {
        if (byte < 0x20 || byte > 0x7e) throw fail("holds text that is not printable ASCII");
        text += String.fromCharCode(byte);
      }
      return text;
    },
    isString: (expected) => equalBytes(string(), expected),
    end: () => {
      if (at !== blob.length) throw fail("has trailing bytes");
    },
  };
}

export function wireUint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function wireString(value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === "string" ? encodeUtf8(value) : value;
  return concatBytes(wireUint32(bytes.length), bytes);
}
