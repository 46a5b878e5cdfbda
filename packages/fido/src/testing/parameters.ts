// The authenticator's reading of what a host sent: a missing field and a wrong type are told apart.
import type { CborKey, CborMap, CborValue } from "../cbor/canonical.ts";
import { STATUS } from "../ctap2/status.ts";
import { Refusal } from "./device.ts";

export function bytesOf(map: CborMap, key: CborKey): Uint8Array {
  const value = present(map, key);
  if (!(value instanceof Uint8Array)) throw new Refusal(STATUS.cborUnexpectedType);
  return new Uint8Array(value);
}

export function textOf(map: CborMap, key: CborKey): string {
  const value = present(map, key);
  if (typeof value !== "string") throw new Refusal(STATUS.cborUnexpectedType);
  return value;
}

export function numberOf(map: CborMap, key: CborKey): number {
  const value = present(map, key);
  if (typeof value !== "number") throw new Refusal(STATUS.cborUnexpectedType);
  return value;
}

export function mapOf(map: CborMap, key: CborKey): CborMap {
  return asMapParameter(present(map, key));
}

export function listOf(map: CborMap, key: CborKey): CborValue[] {
  const value = present(map, key);
  if (!Array.isArray(value)) throw new Refusal(STATUS.cborUnexpectedType);
  return value;
}

export function asMapParameter(value: CborValue): CborMap {
  if (!(value instanceof Map)) throw new Refusal(STATUS.cborUnexpectedType);
  return value;
}

/** The ids of a list of credential descriptors. */
export function credentialIdsOf(map: CborMap, key: CborKey): Uint8Array[] {
  return map.has(key) ? listOf(map, key).map((descriptor) => bytesOf(asMapParameter(descriptor), "id")) : [];
}

/** An option of makeCredential or getAssertion; undefined if absent. */
export function optionOf(map: CborMap, key: CborKey, name: string): boolean | undefined {
  const value = map.has(key) ? mapOf(map, key).get(name) : undefined;
  if (value !== undefined && typeof value !== "boolean") throw new Refusal(STATUS.cborUnexpectedType);
  return value;
}

function present(map: CborMap, key: CborKey): CborValue {
  const value = map.get(key);
  if (value === undefined) throw new Refusal(STATUS.missingParameter);
  return value;
}
