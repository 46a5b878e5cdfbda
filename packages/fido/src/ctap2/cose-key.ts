// RFC 9053 keys as security keys give them: exactly the members that belong to the algorithm, no others.
import { createPublicKey, type JsonWebKey } from "node:crypto";
import { type CborMap, cborMap } from "../cbor/canonical.ts";
import { bytesAt } from "../cbor/fields.ts";
import { explain } from "../explain.ts";
import { STATUS } from "./status.ts";

export const ES256 = -7;
export const EDDSA = -8;
export type Algorithm = typeof ES256 | typeof EDDSA;

export type CredentialPublicKey =
  /** `point` is 0x04, x, y: 65 bytes, on P-256. */
  | { readonly alg: "ES256"; readonly point: Uint8Array }
  /** `key` is the 32 bytes of RFC 8032. */
  | { readonly alg: "EdDSA"; readonly key: Uint8Array };

/** Reads a credential's public key. Throws ALGORITHM_UNSUPPORTED, or DEVICE_GARBAGE unless it is a point of its curve. */
export function parseCredentialKey(map: CborMap): CredentialPublicKey {
  if (map.get(1) === 2 && map.get(3) === ES256 && map.get(-1) === 1 && map.size === 5) {
    return { alg: "ES256", point: pointOf(map) };
  }
  if (map.get(1) === 1 && map.get(3) === EDDSA && map.get(-1) === 6 && map.size === 4) {
    const key = bytesAt(map, -2, "the public key's x", 32);
    checkOnCurve({ kty: "OKP", crv: "Ed25519", x: base64url(key) });
    return { alg: "EdDSA", key };
  }
  const algorithm = map.get(3);
  if (typeof algorithm === "number" && algorithm !== ES256 && algorithm !== EDDSA) {
    throw explain({ kind: "status", status: STATUS.unsupportedAlgorithm });
  }
  throw explain({ kind: "garbage", detail: "a public key of an unknown kind" });
}

export function encodeCredentialKey(key: CredentialPublicKey): CborMap {
  if (key.alg === "EdDSA") return cborMap([1, 1], [3, EDDSA], [-1, 6], [-2, key.key]);
  return cborMap([1, 2], [3, ES256], [-1, 1], ...coordinates(key.point));
}

/** Reads the public key of a PIN key agreement: an uncompressed point of P-256. Throws DEVICE_GARBAGE. */
export function parseAgreementKey(map: CborMap): Uint8Array {
  if (map.get(1) !== 2 || map.get(-1) !== 1)
    throw explain({ kind: "garbage", detail: "a key agreement key of an unknown kind" });
  return pointOf(map);
}

/** CTAP 2.1 section 6.5.6: algorithm −25 by decree, although it is not what is done with the key. */
export function encodeAgreementKey(point: Uint8Array): CborMap {
  return cborMap([1, 2], [3, -25], [-1, 1], ...coordinates(point));
}

function coordinates(point: Uint8Array): [number, Uint8Array][] {
  return [
    [-2, point.slice(1, 33)],
    [-3, point.slice(33, 65)],
  ];
}

function pointOf(map: CborMap): Uint8Array {
  const x = bytesAt(map, -2, "the public key's x", 32);
  const y = bytesAt(map, -3, "the public key's y", 32);
  checkOnCurve({ kty: "EC", crv: "P-256", x: base64url(x), y: base64url(y) });
  return new Uint8Array([0x04, ...x, ...y]);
}

function checkOnCurve(key: JsonWebKey): void {
  try {
    createPublicKey({ key, format: "jwk" });
  } catch (cause) {
    throw explain({ kind: "garbage", detail: "a public key that is no point of its curve", cause });
  }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
