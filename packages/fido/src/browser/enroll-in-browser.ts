import {
  type Crypto,
  encodeKey,
  encodeUtf8,
  equalBytes,
  type Key,
  SK_ECDSA,
  verifyEnrolmentClientData,
} from "@touchmark/core";
import { type AttestedCredential, type AuthenticatorData, FLAG, parseAuthData } from "../ctap2/auth-data.ts";
import { encodeAttestationObject, parseAttestationObject } from "../ctap2/attestation.ts";
import { FidoError } from "../error.ts";
import { askBrowser, type BrowserEdges, wrongAnswer } from "./ask-browser.ts";
import type { PageAnswer } from "./messages.ts";
import type { BrowserPlace } from "./place.ts";

export interface BrowserEnrollRequest {
  readonly place: BrowserPlace;
  readonly holder: string;
  /** Credentials of the same place; an authenticator that holds one of them is refused. */
  readonly excludeCredentialIds: readonly Uint8Array[];
  readonly userVerification: boolean;
  readonly crypto: Crypto;
}

export interface BrowserEnrolledKey {
  readonly key: Key;
  readonly credentialId: Uint8Array;
  /** 16 bytes; zeros if the authenticator hides its model. */
  readonly aaguid: Uint8Array;
  readonly flags: number;
  /** As the browser names them; nothing vouches for them. */
  readonly transports: readonly string[];
  /** [K-16], [K-17]. `none`, if the browser's own was in no form that can be kept. */
  readonly attestation: { readonly format: string; readonly object: Uint8Array; readonly clientData: Uint8Array };
}

const MAX_ATTESTATION = 8192; // [C-15]
const EMPTY_MAP = Uint8Array.of(0xa0);

/** Makes a P-256 credential through a page in the person's browser. Throws FidoError, CoreError (`WRONG_CHALLENGE`, `WRONG_ORIGIN`, …). */
export async function enrollInBrowser(request: BrowserEnrollRequest, edges: BrowserEdges): Promise<BrowserEnrolledKey> {
  const { place, holder, excludeCredentialIds, userVerification } = request;
  return await askBrowser(
    { kind: "enroll", holder, exclude: excludeCredentialIds, userVerification, page: place.page },
    (answer) => readEnrolled(answer, request),
    edges,
  );
}

function readEnrolled(answer: PageAnswer, request: BrowserEnrollRequest): BrowserEnrolledKey {
  if (answer.kind !== "enrolled") throw wrongAnswer("The browser answered something else than was asked.");
  const { crypto, holder, place } = request;
  const { clientData, authData: bytes } = answer;
  const origin = verifyEnrolmentClientData(crypto, { holder, application: place.rpId, clientData }); // [K-17]
  if (place.page !== null && origin !== new URL(place.page).origin)
    throw wrongAnswer("The key was made by another page than the one that was named.");
  const authData = parseAuthData(bytes);
  const { aaguid, credentialId, publicKey } = checkCredential(authData, request);
  if (publicKey.alg !== "ES256")
    throw new FidoError("ALGORITHM_UNSUPPORTED", "The browser made a key that is not on the curve P-256.");
  return {
    key: encodeKey(SK_ECDSA, publicKey.point, place.rpId),
    credentialId,
    aaguid,
    flags: authData.flags,
    transports: answer.transports,
    attestation: { ...keepAttestation(answer.attestationObject, bytes), clientData },
  };
}

function checkCredential(authData: AuthenticatorData, request: BrowserEnrollRequest): AttestedCredential {
  const { flags, rpIdHash, attested } = authData;
  if (!equalBytes(rpIdHash, request.crypto.sha256(encodeUtf8(request.place.rpId))))
    throw wrongAnswer("The key was made for another domain.");
  if (attested === undefined) throw wrongAnswer("The browser's answer holds no key.");
  if ((flags & FLAG.up) === 0) throw wrongAnswer("The key was made without anybody's touch.");
  if (request.userVerification && (flags & FLAG.uv) === 0)
    throw new FidoError("UV_FAILED", "The key was made without PIN or fingerprint.", {
      hint: "Use a key that has one, or leave --uv out.",
    });
  if ((flags & (FLAG.be | FLAG.bs)) === FLAG.bs) throw wrongAnswer("The key says that it is backed up and can't be.");
  return attested;
}

// An attestation is evidence for later; a key is not refused because a platform wrote its evidence in a form of its own.
function keepAttestation(object: Uint8Array, authData: Uint8Array): { format: string; object: Uint8Array } {
  try {
    const { fmt, authDataBytes, objectBytes } = parseAttestationObject(object);
    if (equalBytes(authDataBytes, authData) && objectBytes.length <= MAX_ATTESTATION)
      return { format: fmt, object: objectBytes };
  } catch (error) {
    if (!(error instanceof FidoError)) throw error;
  }
  return { format: "none", object: encodeAttestationObject("none", EMPTY_MAP, authData) };
}
