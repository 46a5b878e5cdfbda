import type { CborValue } from "../cbor/canonical.ts";
import type { PinToken } from "./client-pin.ts";

/** How the key is told that its user has been verified: not at all, by a token, or by asking it to do so itself. */
export type Authorization =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: PinToken }
  | { readonly kind: "built-in" };

interface FieldNumbers {
  readonly options: number;
  readonly param: number;
  readonly protocol: number;
}

/** The fields of makeCredential and getAssertion that carry options and the authorization over `clientDataHash`. */
export function authorizationFields(
  authorization: Authorization,
  clientDataHash: Uint8Array,
  numbers: FieldNumbers,
  options: readonly (readonly [string, boolean])[] = [],
): (readonly [number, CborValue])[] {
  const all = new Map<string, CborValue>([
    ...options,
    ...(authorization.kind === "built-in" ? ([["uv", true]] as const) : []),
  ]);
  const fields: (readonly [number, CborValue])[] = all.size === 0 ? [] : [[numbers.options, all]];
  if (authorization.kind !== "token") return fields;
  const { protocol, bytes } = authorization.token;
  return [
    ...fields,
    [numbers.param, protocol.authenticate(bytes, clientDataHash)],
    [numbers.protocol, protocol.version],
  ];
}
