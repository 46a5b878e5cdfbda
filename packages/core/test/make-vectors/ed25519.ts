import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";

/** One signature check. All bytes are hex. */
export interface Ed25519Case {
  name: string;
  publicKey: string;
  message: string;
  signature: string;
  /** Whether S·B = R + k·A holds without the cofactor, S is below the order, R in its one encoding, and nothing is weak. */
  valid: boolean;
  /** Whether the key or R is of small order: refused before the equation, which may hold. */
  weak: boolean;
}

const { Point } = ed25519;
type EdPoint = InstanceType<typeof Point>;
const { Fn } = Point;
const L = Fn.ORDER;
const MESSAGE = "746f7563686d61726b"; // "touchmark"

// The points of small order in all their spellings: y of order 1, 2, 4, 8, 8; then y + p; each with either sign.
const SMALL = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].flatMap((y) => [y, y.slice(0, 62) + (Number.parseInt(y.slice(62), 16) | 0x80).toString(16)]);

/** Ed25519: S at the edges, second spellings of R, small-order and mixed-order keys and R, lengths. */
export function ed25519Cases(): Ed25519Case[] {
  const secret = 0x1f2e3d4c5b6a798877665544332211n;
  const a = Point.BASE.multiply(secret);
  const honest = forge(a, secret, Point.BASE.multiply(12345n), 12345n, MESSAGE);
  const [r, s] = [honest.slice(0, 64), fromLittle(honest.slice(64))];
  const publicKey = encode(a);
  const one = (name: string, signature: string, valid = false, key = publicKey): Ed25519Case => ({
    name,
    publicKey: key,
    message: MESSAGE,
    signature,
    valid,
    weak: false,
  });
  return [
    one("an ordinary signature", honest, true),
    { ...one("another message", honest), message: `${MESSAGE}00` },
    one("another key", honest, false, encode(Point.BASE.multiply(99n))),
    ...[L, 2n * L, 15n * L].map((more) => one(`S + ${more / L}·L`, r + little(s + more))),
    one("S = L with R of the identity", SMALL[0]! + little(L)),
    one("S = 0", r + little(0n)),
    one("S of all ones", r + "f".repeat(64)),
    one("the top bit of S set", r + little(s + 2n ** 255n)),
    one("L - S", r + little(L - s)),
    one("R mirrored", flip(r) + little(s)),
    ...smallNonces(a, secret),
    ...mixedOrder(),
    ...smallKeys(),
    one("63 bytes", honest.slice(0, 126)),
    one("65 bytes", `${honest}00`),
    one("R alone", r),
    one("nothing", ""),
    one("all zero", "0".repeat(128)),
    one("a key that is no point", honest, false, noPoint()),
    one("a key of 31 bytes", honest, false, publicKey.slice(2)),
    one("a key of 33 bytes", honest, false, `${publicKey}00`),
    one("no key", honest, false, ""),
  ];
}

/** Keys and R with a part of order 8: with the cofactor all of these verify; without it only where k happens to be a multiple of 8. */
function mixedOrder(): Ed25519Case[] {
  const torsion = Point.fromHex(SMALL[6]!);
  const secret = 77n;
  const honestKey = Point.BASE.multiply(secret);
  const mixedKey = honestKey.add(torsion);
  const nonce = 31n;
  const honestR = Point.BASE.multiply(nonce);
  const make = (name: string, key: EdPoint, point: EdPoint, valid: boolean): Ed25519Case => {
    const message = firstMessage((text) => (challenge(encode(point), encode(key), text) % 8n === 0n) === valid);
    const signature = forge(key, secret, point, nonce, message);
    return { name, publicKey: encode(key), message, signature, valid, weak: false };
  };
  return [
    make("a key of mixed order, k a multiple of 8", mixedKey, honestR, true),
    make("a key of mixed order, k no multiple of 8", mixedKey, honestR, false),
    make("an R of mixed order", honestKey, honestR.add(torsion), false),
  ];
}

/** Under a key of small order anybody makes signatures: where k·A is nothing, R = S·B will do. */
function smallKeys(): Ed25519Case[] {
  return SMALL.map((spelling) => {
    const key = Point.fromHex(spelling, true);
    const nonce = 4321n;
    const r = encode(Point.BASE.multiply(nonce));
    const message = firstMessage((text) => key.multiplyUnsafe(challenge(r, spelling, text)).is0());
    return {
      name: `a key of small order, spelt ${spelling}`,
      publicKey: spelling,
      message,
      signature: r + little(nonce),
      valid: false,
      weak: true,
    };
  });
}

/** An R of small order says nothing of a nonce; the holder of a key of mixed order can make the equation hold for each. */
function smallNonces(honest: EdPoint, secret: bigint): Ed25519Case[] {
  return SMALL.map((spelling) => {
    const r = Point.fromHex(spelling, true);
    const key = r.is0() ? honest : honest.add(Point.fromHex(SMALL[6]!));
    const holds = (text: string): boolean => {
      const k = challenge(spelling, encode(key), text);
      return r.add(key.multiplyUnsafe(k)).equals(Point.BASE.multiplyUnsafe(Fn.create(k * secret)));
    };
    const message = firstMessage(holds);
    return {
      name: `an R of small order, spelt ${spelling}`,
      publicKey: encode(key),
      message,
      signature: spelling + little(Fn.create(challenge(spelling, encode(key), message) * secret)),
      valid: false,
      weak: true,
    };
  });
}

function firstMessage(suits: (message: string) => boolean): string {
  for (let i = 0; ; i++) {
    const message = MESSAGE + i.toString(16).padStart(4, "0");
    if (suits(message)) return message;
  }
}

function forge(key: EdPoint, secret: bigint, point: EdPoint, nonce: bigint, message: string): string {
  const r = encode(point);
  return r + little(Fn.create(nonce + challenge(r, encode(key), message) * secret));
}

function challenge(r: string, key: string, message: string): bigint {
  return Fn.create(fromLittle(Buffer.from(sha512(Buffer.from(r + key + message, "hex"))).toString("hex")));
}

function noPoint(): string {
  for (let y = 2n; ; y++) {
    try {
      Point.fromHex(little(y));
    } catch {
      return little(y);
    }
  }
}

function flip(point: string): string {
  return point.slice(0, 62) + (Number.parseInt(point.slice(62), 16) ^ 0x80).toString(16).padStart(2, "0");
}

function encode(point: EdPoint): string {
  return Buffer.from(point.toBytes()).toString("hex");
}

function little(value: bigint): string {
  return Buffer.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex").toReversed()).toString("hex");
}

function fromLittle(text: string): bigint {
  return BigInt(`0x${Buffer.from(Buffer.from(text, "hex").toReversed()).toString("hex")}`);
}
