import { type CborMap, cborMap } from "../cbor/canonical.ts";
import type { CallOptions } from "../hid/channel.ts";
import { type Attestation, parseMakeCredentialAnswer } from "./attestation.ts";
import type { Algorithm } from "./cose-key.ts";
import { authorizationFields, type Authorization } from "./authorization.ts";
import { callCbor, CTAP2, type CtapSession, encodeCommand } from "./session.ts";

export interface MakeCredentialRequest {
  readonly rpId: string;
  /** 32 bytes. */
  readonly clientDataHash: Uint8Array;
  readonly user: { readonly id: Uint8Array; readonly name: string };
  /** Wanted algorithms, best first. */
  readonly algorithms: readonly Algorithm[];
  readonly excludeCredentialIds?: readonly Uint8Array[];
  /** The key itself keeps the credential; by default it goes into the credential id. */
  readonly discoverable?: boolean;
  /** Level of the extension credProtect. */
  readonly protection?: number | undefined;
  readonly authorization: Authorization;
}

/** CTAP 2.1 section 6.1. Throws FidoError. */
export async function makeCredential(
  session: CtapSession,
  request: MakeCredentialRequest,
  options: CallOptions = {},
): Promise<Attestation> {
  const { protection, excludeCredentialIds: exclude = [] } = request;
  const parameters = cborMap(
    [0x01, request.clientDataHash],
    [0x02, cborMap(["id", request.rpId])],
    [0x03, cborMap(["id", request.user.id], ["name", request.user.name])],
    [0x04, request.algorithms.map((alg) => cborMap(["alg", alg], ["type", "public-key"]))],
    ...(exclude.length === 0 ? [] : [[0x05, exclude.map(encodeCredentialId)] as const]),
    ...(protection === undefined ? [] : [[0x06, cborMap(["credProtect", protection])] as const]),
    ...authorizationFields(
      request.authorization,
      request.clientDataHash,
      { options: 0x07, param: 0x08, protocol: 0x09 },
      request.discoverable === true ? [["rk", true]] : [],
    ),
  );
  const message = encodeCommand(CTAP2.makeCredential, parameters);
  return parseMakeCredentialAnswer(await callCbor(session.channel, message, session.info.maxMessageBytes, options));
}

export function encodeCredentialId(id: Uint8Array): CborMap {
  return cborMap(["id", id], ["type", "public-key"]);
}
