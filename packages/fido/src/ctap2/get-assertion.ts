import { type CborMap, cborMap, decodeCbor } from "../cbor/canonical.ts";
import { asMap, bytesAt } from "../cbor/fields.ts";
import { explain } from "../explain.ts";
import type { CallOptions } from "../hid/channel.ts";
import { type AuthenticatorData, parseAuthData } from "./auth-data.ts";
import { type Authorization, authorizationFields } from "./authorization.ts";
import { encodeCredentialId } from "./make-credential.ts";
import { callCbor, CTAP2, type CtapSession, encodeCommand } from "./session.ts";

export interface GetAssertionRequest {
  readonly rpId: string;
  /** 32 bytes. */
  readonly clientDataHash: Uint8Array;
  /** As many as the key takes in one list; none asks for whichever discoverable credential was made last. */
  readonly credentialIds: readonly Uint8Array[];
  readonly authorization: Authorization;
  /** false asks without a touch whether the key has one of the credentials. */
  readonly userPresence?: boolean;
}

export interface Assertion {
  readonly credentialId: Uint8Array;
  readonly authDataBytes: Uint8Array;
  readonly authData: AuthenticatorData;
  readonly signature: Uint8Array;
  /** The user id of a discoverable credential. */
  readonly userHandle: Uint8Array | undefined;
}

const MAX_SIGNATURE = 256;

/** CTAP 2.1 section 6.2. Throws FidoError. */
export async function getAssertion(
  session: CtapSession,
  request: GetAssertionRequest,
  options: CallOptions = {},
): Promise<Assertion> {
  const message = encodeGetAssertion(request);
  const answer = await callCbor(session.channel, message, session.info.maxMessageBytes, options);
  return parseGetAssertionAnswer(answer, request.credentialIds);
}

function encodeGetAssertion(request: GetAssertionRequest): Uint8Array {
  const fields = authorizationFields(
    request.authorization,
    request.clientDataHash,
    { options: 0x05, param: 0x06, protocol: 0x07 },
    request.userPresence === false ? [["up", false]] : [],
  );
  const parameters = cborMap(
    [0x01, request.rpId],
    [0x02, request.clientDataHash],
    ...(request.credentialIds.length === 0 ? [] : [[0x03, request.credentialIds.map(encodeCredentialId)] as const]),
    ...fields,
  );
  return encodeCommand(CTAP2.getAssertion, parameters);
}

/** Throws DEVICE_GARBAGE, also if the key answers for a credential that was not asked for. */
export function parseGetAssertionAnswer(bytes: Uint8Array, asked: readonly Uint8Array[]): Assertion {
  const map = asMap(decodeCbor(bytes), "the assertion");
  const authDataBytes = bytesAt(map, 0x02, "authData");
  const signature = bytesAt(map, 0x03, "the signature");
  if (signature.length === 0 || signature.length > MAX_SIGNATURE)
    throw explain({ kind: "garbage", detail: "a signature of impossible length" });
  return {
    credentialId: credentialIdOf(map, asked),
    authDataBytes,
    authData: parseAuthData(authDataBytes),
    signature,
    userHandle: map.has(0x04) ? bytesAt(asMap(map.get(0x04), "the user"), "id", "the user's id") : undefined,
  };
}

// The key may leave the credential out when it was asked for one only.
function credentialIdOf(map: CborMap, asked: readonly Uint8Array[]): Uint8Array {
  const [only] = asked;
  if (!map.has(0x01) && only !== undefined && asked.length === 1) return only;
  const id = bytesAt(asMap(map.get(0x01), "the credential"), "id", "the credential id");
  if (asked.length > 0 && !asked.some((one) => Buffer.compare(one, id) === 0))
    throw explain({ kind: "garbage", detail: "a credential that was not asked for" });
  return id;
}
