/** How checks go to a thread: all of their byte strings in one buffer, which is handed over instead of copied. */

export type SignatureCheck = {
  readonly algorithm: "ed25519" | "p256";
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

/** `packed` are the key, message and signature of each check. */
export type CheckMessage = {
  readonly algorithms: readonly SignatureCheck["algorithm"][];
  readonly packed: Uint8Array<ArrayBuffer>;
};

export function encodeChecks(checks: readonly SignatureCheck[]): CheckMessage {
  return {
    algorithms: checks.map(({ algorithm }) => algorithm),
    packed: packBytes(checks.flatMap(({ key, message, signature }) => [key, message, signature])),
  };
}

export function decodeChecks({ algorithms, packed }: CheckMessage): SignatureCheck[] {
  const parts = unpackBytes(packed);
  return algorithms.map((algorithm, i) => ({
    algorithm,
    key: parts[3 * i]!,
    message: parts[3 * i + 1]!,
    signature: parts[3 * i + 2]!,
  }));
}

/** How many there are, their lengths, each in four bytes, and the strings. The bytes have a buffer of their own. */
function packBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let at = 4 + 4 * parts.length;
  const packed = new Uint8Array(parts.reduce((sum, { length }) => sum + length, at));
  const view = new DataView(packed.buffer);
  view.setUint32(0, parts.length);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    view.setUint32(4 + 4 * i, part.length);
    packed.set(part, at);
    at += part.length;
  }
  return packed;
}

function unpackBytes(packed: Uint8Array): Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const count = view.getUint32(0);
  let at = 4 + 4 * count;
  return Array.from({ length: count }, (_, i) => packed.subarray(at, (at += view.getUint32(4 + 4 * i))));
}
