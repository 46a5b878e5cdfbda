import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** One signature check. All bytes are hex. */
export interface EcdsaCase {
  name: string;
  publicKey: string;
  message: string;
  signature: string;
  valid: boolean;
  /** Whether the signature alone is well-formed: strict DER, r and s in 1 … n-1 [K-7]. */
  strict: boolean;
}

const { Point } = p256;
const N = Point.Fn.ORDER;
const P = Point.Fp.ORDER;
const MESSAGE = "746f7563686d61726b"; // "touchmark"

/** P-256 with SHA-256: scalars at the edges of their range, every second spelling of DER that we know of, keys that are none. */
export function ecdsaCases(): EcdsaCase[] {
  const { r, s, publicKey } = signed(base(7n), 0x1234567890abcdefn);
  const good = der(r, s);
  const one = (name: string, signature: string, valid = false, key = publicKey, strict = true): EcdsaCase => ({
    name,
    publicKey: key,
    message: MESSAGE,
    signature,
    valid,
    strict,
  });
  const malformed = ([name, signature]: [string, string]): EcdsaCase => one(name, signature, false, publicKey, false);
  return [
    one("an ordinary signature", good, true),
    one("the same with n - s: one of the two is high, both are accepted [K-7]", der(r, N - s), true),
    { ...one("another message", good), message: `${MESSAGE}00` },
    one("another key", good, false, hex(base(9n).toBytes(false))),
    ...edgeScalars(),
    one("r and s swapped", der(s, r)),
    ...outOfRange(r, s).map(malformed),
    ...secondSpellings(r, s).map(malformed),
    ...noKeys(publicKey).map(([name, key]) => one(name, good, false, key)),
  ];
}

function edgeScalars(): EcdsaCase[] {
  const wrapped = firstPoint(N); // x in n … p-1, so r = x - n
  const points: [string, Nonce][] = [
    ["an ordinary r", base(7n)],
    ["the smallest r that a point has", firstPoint(1n)],
    ["an r of two bytes, the first above 0x7f", firstPoint(0x8000n)],
    ["an r just under n", firstPoint(N - 1000n)],
    ["an x above n, reduced to r", wrapped],
  ];
  const scalars: [string, bigint][] = [
    ["s = 1", 1n],
    ["s = n - 1", N - 1n],
    ["s = (n - 1) / 2", (N - 1n) / 2n],
    ["s = (n + 1) / 2", (N + 1n) / 2n],
    ["s of one byte above 0x7f", 0x80n],
  ];
  const cases = points.flatMap(([rName, point]) =>
    scalars.map(([sName, s]) => {
      const { r, publicKey } = signed(point, s);
      return {
        name: `${rName}, ${sName}`,
        publicKey,
        message: MESSAGE,
        signature: der(r, s),
        valid: true,
        strict: true,
      };
    }),
  );
  const { publicKey } = signed(wrapped, 5n);
  const unreduced = { publicKey, message: MESSAGE, signature: der(wrapped.x, 5n), valid: false, strict: false };
  return [...cases, { name: "x above n given as r", ...unreduced }];
}

function outOfRange(r: bigint, s: bigint): [string, string][] {
  const bad: [string, bigint][] = [
    ["0", 0n],
    ["n", N],
    ["n + 1", N + 1n],
    ["p", P],
    ["2^256 - 1", 2n ** 256n - 1n],
    ["2^256 + 1, of 33 bytes", 2n ** 256n + 1n],
    ["-1", -1n],
  ];
  return [
    ...bad.flatMap(([name, value]): [string, string][] => [
      [`r = ${name}`, der(value, s)],
      [`s = ${name}`, der(r, value)],
      [`r = s = ${name}`, der(value, value)],
    ]),
    ["r + n", der(r + N, s)],
    ["s + n", der(r, s + N)],
    ["-r", der(-r, s)],
    ["-s", der(r, -s)],
    ["r + 2^256, of 33 bytes", der(r + 2n ** 256n, s)],
    ["s + 2^256, of 33 bytes", der(r, s + 2n ** 256n)],
  ];
}

function secondSpellings(r: bigint, s: bigint): [string, string][] {
  const good = der(r, s);
  const [R, S] = [integer(r), integer(s)];
  const content = R + S;
  const length = byte(content.length / 2);
  const cut = Array.from({ length: good.length / 2 }, (_, bytes): [string, string] => [
    `cut after ${bytes} bytes`,
    good.slice(0, 2 * bytes),
  ]);
  return [
    ...cut,
    ["a byte after the sequence", `${good}00`],
    ["a byte after s in the sequence", `30${byte(content.length / 2 + 1)}${content}00`],
    ["a third integer", `30${byte(content.length / 2 + 3)}${content}020101`],
    ["a sequence's length of two bytes", `3081${length}${content}`],
    ["a sequence's length of three bytes", `308200${length}${content}`],
    ["a sequence's length that is one short", `30${byte(content.length / 2 - 1)}${content}`],
    ["a sequence's length that is one long", `30${byte(content.length / 2 + 1)}${content}`],
    ["an indefinite length", `3080${content}0000`],
    ["an integer's length of two bytes", sequence(`0281${R.slice(2)}`, S)],
    ["s with a length of two bytes", sequence(R, `0281${S.slice(2)}`)],
    ["r with a zero in front", sequence(`02${byte(R.length / 2 - 1)}00${R.slice(4)}`, S)],
    ["s with a zero in front", sequence(R, `02${byte(S.length / 2 - 1)}00${S.slice(4)}`)],
    ["an empty r", sequence("0200", S)],
    ["an empty s", sequence(R, "0200")],
    ["r as an octet string", sequence(`04${R.slice(2)}`, S)],
    ["s as an enumeration", sequence(R, `0a${S.slice(2)}`)],
    ["a set for a sequence", `31${good.slice(2)}`],
    ["a primitive sequence", `10${good.slice(2)}`],
    ["an integer marked as constructed", sequence(`22${R.slice(2)}`, S)],
    ["a sequence in a sequence", sequence(good)],
    ["r alone", sequence(R)],
    ["an empty sequence", "3000"],
    ["r and s side by side, as IEEE P1363 has them", toHex(r) + toHex(s)],
    ["all zero", "00".repeat(good.length / 2)],
  ];
}

function noKeys(publicKey: string): [string, string][] {
  const x = publicKey.slice(2, 66);
  const y = BigInt(`0x${publicKey.slice(66)}`);
  return [
    ["the key's point mirrored", `04${x}${toHex(P - y)}`],
    ["a key off the curve", `04${x}${toHex(y + 1n)}`],
    ["a key with y + p", `04${toHex(0n)}${toHex(P)}`],
    ["a key of all zero", "04".padEnd(130, "0")],
    ["a key of all ones", "04".padEnd(130, "f")],
    ["a compressed key", `${y % 2n === 0n ? "02" : "03"}${x}`],
    ["a hybrid key", `${y % 2n === 0n ? "06" : "07"}${publicKey.slice(2)}`],
    ["the point at infinity", "00"],
    ["the point at infinity, padded", "00".repeat(65)],
    ["a key without its first byte", publicKey.slice(2)],
    ["a key with a byte more", `${publicKey}00`],
    ["no key", ""],
  ];
}

interface Nonce {
  x: bigint;
  point: InstanceType<typeof Point>;
  toBytes: (compressed: boolean) => Uint8Array;
}

function base(scalar: bigint): Nonce {
  return asNonce(Point.BASE.multiply(scalar));
}

/** The first point whose x is at least this. */
function firstPoint(least: bigint): Nonce {
  for (let x = least; ; x++) {
    try {
      return asNonce(Point.fromHex(`02${toHex(x)}`));
    } catch {
      continue; // every second x has no point
    }
  }
}

function asNonce(point: InstanceType<typeof Point>): Nonce {
  return { x: point.toAffine().x, point, toBytes: (compressed) => point.toBytes(compressed) };
}

/** A key under which (r, s) with this r and s is valid: Q = (s·R - z·G) / r. */
function signed(nonce: Nonce, s: bigint): { r: bigint; s: bigint; publicKey: string } {
  const { Fn } = Point;
  const r = Fn.create(nonce.x);
  const z = Fn.create(BigInt(`0x${hex(sha256(fromHex(MESSAGE)))}`));
  const inverse = Fn.inv(r);
  const q = nonce.point.multiply(Fn.mul(s, inverse)).subtract(Point.BASE.multiply(Fn.mul(z, inverse)));
  return { r, s, publicKey: hex(q.toBytes(false)) };
}

function der(r: bigint, s: bigint): string {
  return sequence(integer(r), integer(s));
}

function sequence(...parts: string[]): string {
  const content = parts.join("");
  return `30${byte(content.length / 2)}${content}`;
}

/** DER INTEGER: shortest two's complement. */
function integer(value: bigint): string {
  let bytes = 1n;
  while (value >= 2n ** (8n * bytes - 1n) || value < -(2n ** (8n * bytes - 1n))) bytes++;
  const content = BigInt.asUintN(Number(8n * bytes), value)
    .toString(16)
    .padStart(2 * Number(bytes), "0");
  return `02${byte(Number(bytes))}${content}`;
}

function byte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

function toHex(value: bigint): string {
  return value.toString(16).padStart(64, "0");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}
