import {
  CoreError,
  type Crypto,
  enrolmentHash,
  type HeldKey,
  type ReasonCode,
  verifyEnrolmentClientData,
} from "@touchmark/core";
import { FidoError } from "../error.ts";
import { type AttestationRequest, type AttestationVerdict, checkAttestation } from "./check-attestation.ts";
import { parseCertificate } from "./certificate.ts";
import type { AttestationReasonCode } from "./reason.ts";
import type { AttestationRoots } from "./roots.ts";

/** A key with its holder and the attestation that is kept with it, as in an authority. */
export type AttestedKey = Pick<HeldKey, "holder" | "key"> & { attestation: NonNullable<HeldKey["attestation"]> };

/** What a policy wants to know of a key. */
export interface HeldKeyAttestation {
  /** Why the attestation is not believed; empty if it is. */
  readonly refusals: readonly { code: ReasonCode; message: string }[];
  readonly aaguid: string | undefined;
  readonly maker: string | undefined;
  readonly firmware: readonly string[] | undefined;
}

export type HeldKeyJudge = (key: HeldKey, time: number) => HeldKeyAttestation;

/** Judges keys of authorities against the roots of a policy, DER each [P-16]; `time` is in seconds. Throws BAD_ROOTS if one is no certificate. */
export function heldKeyJudge(crypto: Crypto, roots: readonly Uint8Array[]): HeldKeyJudge {
  const anchors = roots.map((der, index) => {
    const root = parseCertificate(der);
    if (root !== undefined) return root;
    throw new FidoError("BAD_ROOTS", `Number ${index + 1} of the policy's attestationRoots is no certificate.`, {
      hint: "It is the base64 of a certificate's DER: openssl x509 -in root.pem -outform der | base64 -w0",
    });
  });
  const known = new Map<string, HeldKeyAttestation>();
  return (key, time) => {
    const id = `${key.holder} ${key.fingerprint} ${time}`;
    const before = known.get(id);
    if (before !== undefined) return before;
    const judged = judge(crypto, key, { roots: { anchors, intermediates: [] }, time });
    known.set(id, judged);
    return judged;
  };
}

/** The verdict on the attestation of a key. Throws CoreError if a browser wrote it down for another holder or page [K-17]. */
export function judgeHeldKey(
  crypto: Crypto,
  { holder, key, attestation }: AttestedKey,
  question: Pick<AttestationRequest, "roots" | "metadata" | "time" | "firmwareVersion">,
): AttestationVerdict {
  const { format, object, clientData } = attestation;
  if (clientData !== null) verifyEnrolmentClientData(crypto, { holder, application: key.application, clientData });
  const clientDataHash = clientData === null ? enrolmentHash(crypto, holder) : crypto.sha256(clientData); // [K-15], [K-17]
  return checkAttestation({ attestation: { format, object }, key, clientDataHash, ...question });
}

function judge(crypto: Crypto, key: HeldKey, question: { roots: AttestationRoots; time: number }): HeldKeyAttestation {
  const { attestation } = key;
  if (attestation === null) return refused("KEY_NOT_ATTESTED", "nothing was kept of how its key was made");
  try {
    const { reasons, aaguid, maker, firmware } = judgeHeldKey(crypto, { ...key, attestation }, question);
    const refusals = reasons.map(({ code, message }) => ({ code: CODES[code], message: inASentence(message) }));
    return { refusals, aaguid, maker, firmware: firmware?.versions };
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    return refused("KEY_ATTESTATION_FORGED", inASentence(error.message));
  }
}

function refused(code: ReasonCode, message: string): HeldKeyAttestation {
  return { refusals: [{ code, message }], aaguid: undefined, maker: undefined, firmware: undefined };
}

// "The certificate of X has expired." as a part of another sentence.
function inASentence(message: string): string {
  return `${message.charAt(0).toLowerCase()}${message.slice(1).replace(/\.$/, "")}`;
}

const CODES: Record<AttestationReasonCode, ReasonCode> = {
  MALFORMED: "KEY_NOT_ATTESTED",
  FORMAT_UNKNOWN: "KEY_NOT_ATTESTED",
  NOT_ATTESTED: "KEY_NOT_ATTESTED",
  SELF_ATTESTED: "KEY_NOT_ATTESTED",
  NOT_TOUCHED: "KEY_NOT_ATTESTED",
  ALGORITHM_UNSUPPORTED: "KEY_NOT_ATTESTED",
  CERTIFICATE_MALFORMED: "KEY_NOT_ATTESTED",
  CERTIFICATE_UNFIT: "KEY_NOT_ATTESTED",
  OTHER_KEY: "KEY_ATTESTATION_FORGED",
  OTHER_APPLICATION: "KEY_ATTESTATION_FORGED",
  STATEMENT_FORGED: "KEY_ATTESTATION_FORGED",
  CERTIFICATE_FORGED: "KEY_ATTESTATION_FORGED",
  CERTIFICATE_EXPIRED: "KEY_ATTESTATION_EXPIRED",
  CERTIFICATE_NOT_YET_VALID: "KEY_ATTESTATION_EXPIRED",
  AAGUID_MISMATCH: "KEY_MODEL_MISMATCH",
  NO_ROOTS: "KEY_ROOT_UNKNOWN",
  ROOT_UNKNOWN: "KEY_ROOT_UNKNOWN",
  METADATA_MALFORMED: "KEY_NOT_ATTESTED",
  METADATA_FORGED: "KEY_NOT_ATTESTED",
  METADATA_SIGNER_UNKNOWN: "KEY_NOT_ATTESTED",
  METADATA_EXPIRED: "KEY_NOT_ATTESTED",
  MODEL_UNKNOWN: "KEY_NOT_ATTESTED",
  MODEL_COMPROMISED: "KEY_MODEL_FORBIDDEN",
};
