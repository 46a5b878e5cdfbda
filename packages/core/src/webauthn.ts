import { encodeBase64Url, encodeUtf8, parseUtf8 } from "./bytes.ts";
import type { Crypto } from "./crypto.ts";
import { CoreError } from "./errors.ts";

// What a browser writes down of a ceremony: clientDataJSON (WebAuthn Level 3 section 5.8.1). It is compared by its beginning and never
// parsed, as OpenSSH does it: two readers of one JSON text may differ, two comparisons can't.

const MAX_CLIENT_DATA = 4096; // [K-9]

/** The 32 bytes that an enrolment is bound to: a key's `clientDataHash` [K-15], a browser's challenge [K-17]. */
export function enrolmentHash(crypto: Crypto, holder: string): Uint8Array {
  return crypto.sha256(encodeUtf8(`touchmark enrolment v1\n${holder}\n`));
}

/**
 * Checks what a browser wrote down when a key was made for a holder, and gives the page's origin [K-17]. Throws
 * `WRONG_CHALLENGE`, `WRONG_ORIGIN`, `TOO_LARGE`, `MALFORMED`.
 */
export function verifyEnrolmentClientData(
  crypto: Crypto,
  { holder, application, clientData }: { holder: string; application: string; clientData: Uint8Array },
): string {
  return readClientData("webauthn.create", { clientData, challenge: enrolmentHash(crypto, holder), application });
}

/** Checks what a browser wrote down when it asked for a signature over tbs [K-9], [K-10]. Throws as `verifyEnrolmentClientData`. */
export function verifyClientData(
  application: string,
  { origin, clientData }: { origin: string; clientData: Uint8Array },
  tbs: Uint8Array,
): void {
  if (readClientData("webauthn.get", { clientData, challenge: tbs, application }) !== origin) throw wrongOrigin();
}

/** Throws `TOO_LARGE` where clientDataJSON is over its limit. */
export function checkClientDataSize(clientData: Uint8Array): void {
  if (clientData.length > MAX_CLIENT_DATA) throw new CoreError("TOO_LARGE", "K-9", "clientDataJSON is too long.");
}

interface Ceremony {
  clientData: Uint8Array;
  challenge: Uint8Array;
  application: string;
}

function readClientData(type: "webauthn.create" | "webauthn.get", ceremony: Ceremony): string {
  checkClientDataSize(ceremony.clientData);
  const text = parseUtf8(ceremony.clientData);
  const start = `{"type":"${type}","challenge":"${encodeBase64Url(ceremony.challenge)}","origin":"`;
  if (!text.startsWith(start)) {
    const what = type === "webauthn.get" ? "statement" : "holder";
    throw new CoreError(
      "WRONG_CHALLENGE",
      type === "webauthn.get" ? "K-9" : "K-17",
      "The browser signed another challenge.",
      `The signature was made for another ${what}.`,
    );
  }
  const end = text.indexOf('"', start.length);
  const origin = text.slice(start.length, end);
  if (end < 0 || !isOriginOf(ceremony.application, origin)) throw wrongOrigin();
  return origin;
}

// [K-10]
function isOriginOf(application: string, origin: string): boolean {
  if (application === "localhost") return /^http:\/\/localhost(?::[1-9][0-9]{0,4})?$/.test(origin);
  const host = /^https:\/\/([a-z0-9.-]+)(?::[1-9][0-9]{0,4})?$/.exec(origin)?.[1];
  return host !== undefined && (host === application || host.endsWith(`.${application}`));
}

function wrongOrigin(): CoreError {
  return new CoreError("WRONG_ORIGIN", "K-10", "The browser signed for a page that the key does not belong to.");
}
