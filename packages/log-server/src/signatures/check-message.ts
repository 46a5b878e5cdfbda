/** How checks go to a thread: many in one message, whose bytes are handed over instead of copied. */
export type SignatureCheck = {
  readonly algorithm: "ed25519" | "p256";
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

const ALGORITHMS = ["ed25519", "p256"] as const;
const HEAD = 16;

/** The bytes have a buffer of their own. */
export function encodeChecks(checks: readonly SignatureCheck[]): Uint8Array<ArrayBuffer> {
  const length = checks.reduce((sum, { key, message, signature }) => sum + lengthOf([key, message, signature]), 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { algorithm, key, message, signature } of checks) {
    const parts = [key, message, signature];
    view.setUint32(at, ALGORITHMS.indexOf(algorithm));
    for (const [i, part] of parts.entries()) view.setUint32(at + 4 + 4 * i, part.length);
    at += HEAD;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
  }
  return bytes;
}

export function decodeChecks(bytes: Uint8Array): SignatureCheck[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checks: SignatureCheck[] = [];
  let at = 0;
  const take = (length: number): Uint8Array => bytes.subarray(at, (at += length));
  while (at < bytes.length) {
    const [algorithm, key, message, signature] = [0, 4, 8, 12].map((offset) => view.getUint32(at + offset));
    at += HEAD;
    checks.push({
      algorithm: ALGORITHMS[algorithm!]!,
      key: take(key!),
      message: take(message!),
      signature: take(signature!),
    });
  }
  return checks;
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, HEAD);
}
