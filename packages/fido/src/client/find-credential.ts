import type { Authorization } from "../ctap2/authorization.ts";
import { getAssertion } from "../ctap2/get-assertion.ts";
import type { CtapSession } from "../ctap2/session.ts";
import { STATUS } from "../ctap2/status.ts";
import { FidoError } from "../error.ts";
import { findU2fCredential, isU2fOnly } from "../u2f/credential.ts";

export interface CredentialQuestion {
  readonly rpId: string;
  readonly credentialIds: readonly Uint8Array[];
  /** A token shows credentials that hide from unverified users as well. */
  readonly authorization?: Authorization;
  readonly signal?: AbortSignal | undefined;
}

/** `unsure`: the key answers such questions only to a verified user, or not at all. */
export type CredentialSearch =
  | { readonly kind: "found"; readonly credentialId: Uint8Array }
  | { readonly kind: "absent" }
  | { readonly kind: "unsure" };

/** Asks a key, without a touch, which of the credentials it holds. Throws FidoError. */
export async function findCredential(session: CtapSession, question: CredentialQuestion): Promise<CredentialSearch> {
  const { rpId, credentialIds, signal } = question;
  if (!isU2fOnly(session.info)) return await findByAssertion(session, question);
  const credentialId = await findU2fCredential(session.channel, rpId, credentialIds, { signal });
  return credentialId === undefined ? { kind: "absent" } : { kind: "found", credentialId };
}

async function findByAssertion(session: CtapSession, question: CredentialQuestion): Promise<CredentialSearch> {
  let left = fittingIds(session, question.credentialIds);
  const request = {
    rpId: question.rpId,
    clientDataHash: new Uint8Array(32),
    authorization: question.authorization ?? { kind: "none" },
    userPresence: false,
  } as const;
  let most = session.info.maxCredentialCountInList ?? 1;
  while (left.length > 0) {
    const credentialIds = left.slice(0, Math.max(1, most));
    const size = credentialIds.length;
    try {
      const { credentialId } = await getAssertion(session, { ...request, credentialIds }, { signal: question.signal });
      return { kind: "found", credentialId };
    } catch (error) {
      const status = error instanceof FidoError ? error.status : undefined;
      // A message longer than the key takes is refused before it is sent.
      if (TOO_MUCH.has(status) && size > 1) most = size - 1;
      else if (ABSENT.has(status)) left = left.slice(size);
      else if (UNSURE.has(status)) return { kind: "unsure" };
      else throw error;
    }
  }
  return { kind: "absent" };
}

/** Without those ids that are longer than any of this key's. */
export function fittingIds({ info }: CtapSession, ids: readonly Uint8Array[]): Uint8Array[] {
  return ids.filter((id) => info.maxCredentialIdLength === undefined || id.length <= info.maxCredentialIdLength);
}

// Keys that never told how long their ids are may say INVALID_LENGTH to another key's.
const ABSENT: ReadonlySet<number | undefined> = new Set([
  STATUS.noCredentials,
  STATUS.invalidCredential,
  STATUS.invalidLength,
]);
const TOO_MUCH: ReadonlySet<number | undefined> = new Set([
  STATUS.requestTooLarge,
  STATUS.limitExceeded,
  STATUS.invalidLength,
]);
const UNSURE: ReadonlySet<number | undefined> = new Set([
  STATUS.pinOrUvRequired,
  STATUS.unsupportedOption,
  STATUS.invalidOption,
  STATUS.upRequired,
]);
