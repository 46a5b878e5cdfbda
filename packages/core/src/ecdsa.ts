import { allocateBytes, compareBytes, encodeHex, parseHex } from "./bytes.ts";
import { CoreError } from "./errors.ts";

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const N: Uint8Array = parseHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

/** Whether 65 bytes are an uncompressed point of P-256 (SEC 1 section 2.3.4). */
export function isP256Point(point: Uint8Array): boolean {
  if (point.length !== 65 || point[0] !== 4) return false;
  const x = toBigInt(point.subarray(1, 33));
  const y = toBigInt(point.subarray(33));
  return x < P && y < P && (y * y - (x * x * x - 3n * x + B)) % P === 0n;
}

/** One integer of a signature: shortest two's complement, positive, below the order of P-256. */
export function isScalar(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || bytes.length > 33 || bytes[0]! > 0x7f) return false;
  if (bytes[0] === 0 && (bytes.length === 1 || bytes[1]! < 0x80)) return false;
  if (bytes.length === 33 && bytes[0] !== 0) return false; // over 256 bits
  const digits = bytes.length === 33 ? bytes.subarray(1) : bytes;
  return digits.length < 32 || compareBytes(digits, N) < 0;
}

/** DER `SEQUENCE { INTEGER r, INTEGER s }` from the two integers' bytes. */
export function encodeEcdsaDer(r: Uint8Array, s: Uint8Array): Uint8Array {
  const der = allocateBytes(6 + r.length + s.length);
  der.set([0x30, 4 + r.length + s.length, 2, r.length]);
  der.set(r, 4);
  der.set([2, s.length], 4 + r.length);
  der.set(s, 6 + r.length);
  return der;
}

/** The two integers of a strictly encoded P-256 signature, r and s in 1 … n−1. Throws `BAD_SIGNATURE` [K-7]. */
export function parseEcdsaDer(der: Uint8Array): { r: Uint8Array; s: Uint8Array } {
  const rLength = der[3] ?? 0;
  const r = der.subarray(4, 4 + rLength);
  const s = der.subarray(6 + rLength);
  const strict =
    der.length <= 72 &&
    der[0] === 0x30 &&
    der[1] === der.length - 2 &&
    der[2] === 2 &&
    der[4 + rLength] === 2 &&
    der[5 + rLength] === s.length;
  if (!strict || !isScalar(r) || !isScalar(s)) {
    throw new CoreError("BAD_SIGNATURE", "K-7", "The ECDSA signature is not in strict DER.");
  }
  return { r, s };
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${encodeHex(bytes)}`);
}
