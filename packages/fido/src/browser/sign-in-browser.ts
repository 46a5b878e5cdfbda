import {
  type Crypto,
  envelopeSignedBytes,
  type Key,
  parseSshSignature,
  type SignatureDemands,
  verifySshSignature,
} from "@touchmark/core";
import { askBrowser, type BrowserEdges, wrongAnswer } from "./ask-browser.ts";
import type { PageAnswer } from "./messages.ts";
import type { BrowserPlace } from "./place.ts";

export interface BrowserSignRequest {
  readonly place: BrowserPlace;
  /** Of the envelope. */
  readonly payload: Uint8Array;
  /** Any of them may sign. */
  readonly keys: readonly { readonly credentialId: Uint8Array; readonly key: Key }[];
  readonly demands: SignatureDemands;
  readonly crypto: Crypto;
}

export interface BrowserSignature {
  /** The SSHSIG blob in the form of [K-9], verified. */
  readonly signature: Uint8Array;
  /** Whichever of the keys signed. */
  readonly key: Key;
}

/** Has a statement signed through a page in the person's browser. Throws FidoError, and CoreError as `verifySshSignature` does. */
export async function signInBrowser(request: BrowserSignRequest, edges: BrowserEdges): Promise<BrowserSignature> {
  const { place, payload, keys, demands } = request;
  return await askBrowser(
    { kind: "sign", payload, keys, ...demands, page: place.page },
    (answer) => readSigned(answer, request),
    edges,
  );
}

function readSigned(answer: PageAnswer, request: BrowserSignRequest): BrowserSignature {
  if (answer.kind !== "signed") throw wrongAnswer("The browser answered something else than was asked.");
  const { crypto, payload, keys, demands } = request;
  const signature = parseSshSignature(answer.signature);
  const used = keys.find(({ key }) => key.record === signature.key.record);
  if (used === undefined || signature.webauthn === null)
    throw wrongAnswer("The browser signed with a key that nobody asked for.");
  verifySshSignature(crypto, signature, envelopeSignedBytes(crypto, payload), demands);
  return { signature: answer.signature, key: used.key };
}
