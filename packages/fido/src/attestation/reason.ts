import { cleanText } from "@touchmark/core";

/** Why an attestation is not believed. */
export type AttestationReasonCode =
  /** Not the attestation object that it says it is. */
  | "MALFORMED"
  | "FORMAT_UNKNOWN"
  /** `none`: the key, or what stood before it, says nothing. */
  | "NOT_ATTESTED"
  /** The key vouches for itself, which anything could. */
  | "SELF_ATTESTED"
  | "OTHER_KEY"
  | "OTHER_APPLICATION"
  | "NOT_TOUCHED"
  | "ALGORITHM_UNSUPPORTED"
  /** The statement was signed by somebody else, for another holder, or changed. */
  | "STATEMENT_FORGED"
  | "CERTIFICATE_MALFORMED"
  | "CERTIFICATE_UNFIT"
  | "CERTIFICATE_FORGED"
  | "CERTIFICATE_EXPIRED"
  | "CERTIFICATE_NOT_YET_VALID"
  | "AAGUID_MISMATCH"
  /** The user has named no roots. */
  | "NO_ROOTS"
  | "ROOT_UNKNOWN"
  | "METADATA_MALFORMED"
  | "METADATA_FORGED"
  | "METADATA_SIGNER_UNKNOWN"
  | "METADATA_EXPIRED"
  | "MODEL_UNKNOWN"
  /** The metadata reports that keys of this model are not to be relied on. */
  | "MODEL_COMPROMISED";

export interface AttestationReason {
  readonly code: AttestationReasonCode;
  /** One sentence, safe to print. */
  readonly message: string;
}

/** `detail` may be foreign text. */
export function reason(code: AttestationReasonCode, detail = ""): AttestationReason {
  return { code, message: SENTENCES[code](cleanText(detail, MAX_DETAIL)) };
}

const MAX_DETAIL = 120;

const SENTENCES: Record<AttestationReasonCode, (detail: string) => string> = {
  MALFORMED: (detail) => `The attestation cannot be read: ${detail}.`,
  FORMAT_UNKNOWN: (detail) => `Attestations of the format ${detail} are not checked.`,
  NOT_ATTESTED: () => "Nobody vouches for this key: its attestation is empty.",
  SELF_ATTESTED: () => "The key vouches for itself; nothing shows that it is hardware.",
  OTHER_KEY: () => "The attestation is that of another key.",
  OTHER_APPLICATION: () => "The attestation was made for another application.",
  NOT_TOUCHED: () => "The attestation was made without a touch.",
  ALGORITHM_UNSUPPORTED: () => "The attestation is signed with an algorithm that is not checked.",
  STATEMENT_FORGED: () =>
    "The attestation's signature does not hold: it was made for another holder, by another key, or changed.",
  CERTIFICATE_MALFORMED: () => "A certificate of the attestation cannot be read.",
  CERTIFICATE_UNFIT: (detail) => `A certificate of the attestation is not fit for it: ${detail}.`,
  CERTIFICATE_FORGED: (detail) => `The certificate of ${detail} was not signed by the issuer that it names.`,
  CERTIFICATE_EXPIRED: (detail) => `The certificate of ${detail} has expired.`,
  CERTIFICATE_NOT_YET_VALID: (detail) => `The certificate of ${detail} is not valid yet.`,
  AAGUID_MISMATCH: () => "The key names another model than its certificate.",
  NO_ROOTS: () => "No roots were named that could vouch for a maker of keys.",
  ROOT_UNKNOWN: (detail) => `None of the roots that were named vouches for ${detail}.`,
  METADATA_MALFORMED: (detail) => `The metadata cannot be read: ${detail}.`,
  METADATA_FORGED: () => "The metadata's signature does not hold.",
  METADATA_SIGNER_UNKNOWN: (detail) =>
    `The metadata is signed by ${detail}, for whom none of the roots that were named vouches.`,
  METADATA_EXPIRED: (detail) => `The metadata has expired: a newer one was due on ${detail}.`,
  MODEL_UNKNOWN: () => "The metadata does not know this model of key.",
  MODEL_COMPROMISED: (detail) => `The metadata reports this model of key as ${detail}.`,
};
