import {
  CoreError,
  encodeHex,
  encodeKey,
  encodeSshSignature,
  enrolmentHash,
  envelopeSignedBytes,
  equalBytes,
  keyFingerprint,
  signatureFromBrowser,
  SK_ECDSA,
  verifyEnrolmentClientData,
  verifySshSignature,
} from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import type { EnrollRequest, PageAnswer, Refusal, SignRequest } from "../messages.ts";

/** What the key did, checked here, and what to tell of it. */
export interface Made {
  readonly answer: PageAnswer;
  readonly facts: [label: string, text: string][];
}

/** Why there is nothing to hand over; the person may try again. */
export class CeremonyError extends Error {
  override readonly name = "CeremonyError";
  readonly reason: Refusal;
  readonly hint: string;

  constructor(reason: Refusal, message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
    this.hint = hint;
  }
}

const ES256 = -7;
const WAIT = 5 * 60_000;
const FLAG_UV = 0x04;
const FLAG_BE = 0x08;
const FLAG_BS = 0x10;

/** Makes a credential bound to the holder by its challenge [K-17]. Throws CeremonyError. */
export async function makeKey(request: EnrollRequest, signal: AbortSignal): Promise<Made> {
  const rpId = location.hostname;
  const { holder, exclude, userVerification } = request;
  return await asCeremony(async () => {
    const credential = await navigator.credentials.create({
      signal,
      publicKey: {
        rp: { id: rpId, name: "Touchmark" },
        // An id of its own each time: the same one again would replace an earlier passkey.
        user: { id: crypto.getRandomValues(new Uint8Array(32)), name: holder, displayName: `Touchmark: ${holder}` },
        challenge: copied(enrolmentHash(nobleCrypto, holder)),
        pubKeyCredParams: [{ type: "public-key", alg: ES256 }],
        excludeCredentials: exclude.map((id) => ({ type: "public-key", id: copied(id) })),
        authenticatorSelection: {
          residentKey: "discouraged",
          requireResidentKey: false,
          userVerification: userVerification ? "required" : "discouraged",
        },
        attestation: "direct",
        timeout: WAIT,
      },
    });
    const response = responseOf(credential, AuthenticatorAttestationResponse);
    const clientData = new Uint8Array(response.clientDataJSON);
    const authData = new Uint8Array(response.getAuthenticatorData());
    const attestationObject = new Uint8Array(response.attestationObject);
    verifyEnrolmentClientData(nobleCrypto, { holder, application: rpId, clientData });
    const publicKey = response.getPublicKey();
    if (response.getPublicKeyAlgorithm() !== ES256 || publicKey === null)
      throw new CeremonyError("unable", "The key that was made is not on the curve P-256.", "Use another key.");
    const key = encodeKey(SK_ECDSA, new Uint8Array(publicKey).slice(-65), rpId); // SubjectPublicKeyInfo ends in the point
    return {
      answer: { kind: "enrolled", clientData, authData, attestationObject, transports: response.getTransports() },
      facts: [
        ["holder", holder],
        ["key", keyFingerprint(nobleCrypto, key)],
        ["belongs to", rpId],
        ["kind", describeKind(authData[32]!)],
      ],
    };
  });
}

/** Has the statement signed by one of the keys, and verifies the signature as everybody else will. Throws CeremonyError. */
export async function signStatement(request: SignRequest, signal: AbortSignal): Promise<Made> {
  const { payload, keys, userVerification, deviceBound } = request;
  const tbs = envelopeSignedBytes(nobleCrypto, payload);
  return await asCeremony(async () => {
    const credential = await navigator.credentials.get({
      signal,
      publicKey: {
        rpId: location.hostname,
        challenge: copied(tbs), // [K-9]
        allowCredentials: keys.map(({ credentialId }) => ({ type: "public-key", id: copied(credentialId) })),
        userVerification: userVerification ? "required" : "discouraged",
        timeout: WAIT,
      },
    });
    const response = responseOf(credential, AuthenticatorAssertionResponse);
    const id = new Uint8Array((credential as PublicKeyCredential).rawId);
    const used = keys.find(({ credentialId }) => equalBytes(credentialId, id));
    if (used === undefined)
      throw new CeremonyError("unable", "A key answered that nobody asked for.", "Use another key.");
    const signature = signatureFromBrowser(nobleCrypto, used.key, {
      authData: new Uint8Array(response.authenticatorData),
      clientData: new Uint8Array(response.clientDataJSON),
      signature: new Uint8Array(response.signature),
      origin: location.origin,
    });
    verifySshSignature(nobleCrypto, signature, tbs, { userVerification, deviceBound });
    return {
      answer: { kind: "signed", signature: encodeSshSignature(signature) },
      facts: [
        ["statement", `sha256:${encodeHex(nobleCrypto.sha256(payload))}`],
        ["key", keyFingerprint(nobleCrypto, used.key)],
        ["kind", describeKind(signature.flags)],
      ],
    };
  });
}

function describeKind(flags: number): string {
  const key =
    (flags & FLAG_BS) !== 0
      ? "synced passkey"
      : (flags & FLAG_BE) !== 0
        ? "passkey that can be synced"
        : "bound to one device";
  return `${key}, ${(flags & FLAG_UV) === 0 ? "touched" : "with PIN or fingerprint"}`;
}

function responseOf<T extends AuthenticatorResponse>(credential: Credential | null, type: new () => T): T {
  if (credential instanceof PublicKeyCredential && credential.response instanceof type) return credential.response;
  throw new CeremonyError("unable", "The browser gave no key.", "Use another browser.");
}

async function asCeremony(act: () => Promise<Made>): Promise<Made> {
  try {
    return await act();
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): CeremonyError {
  if (error instanceof CeremonyError) return error;
  if (error instanceof CoreError) {
    const reason = error.code === "NOT_DEVICE_BOUND" ? "copied" : "unable";
    return new CeremonyError(reason, error.message, error.hint, error);
  }
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "AbortError")
    return new CeremonyError(
      "cancelled",
      "Nothing was made.",
      "It was cancelled, not in time, or no fitting key was there.",
      error,
    );
  if (name === "InvalidStateError")
    return new CeremonyError("excluded", "This key is already enrolled.", "Use another key, or cancel.", error);
  if (name === "NotSupportedError" || name === "ConstraintError")
    return new CeremonyError("unable", "This key cannot do what is asked.", "Use another key.", error);
  const detail = error instanceof Error ? error.message : String(error);
  return new CeremonyError("unable", "The browser refused.", detail, error);
}

// WebAuthn takes no view of a shared buffer, which core's type does not rule out.
function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
