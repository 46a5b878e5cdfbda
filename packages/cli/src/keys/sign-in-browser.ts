import { type EnvelopeSignature, parseBase64, parseKey } from "@touchmark/core";
import { parseBrowserSpec } from "@touchmark/fido";
import { signInBrowser } from "@touchmark/fido/browser";
import { nodeCrypto } from "@touchmark/log";
import type { EnrolledKey } from "./key-store.ts";
import type { SigningRequest } from "./sign-payload.ts";

/** One signature over a statement through a page in a browser, verified before it is given back. Throws FidoError, CoreError. */
export async function signPayloadInBrowser(
  request: SigningRequest,
): Promise<{ signature: EnvelopeSignature; key: EnrolledKey }> {
  const { payload, keys, device, demands, browser } = request;
  const { signature, key: used } = await signInBrowser(
    {
      place: parseBrowserSpec(device),
      payload,
      keys: keys.map(({ credentialId, key }) => ({ credentialId: parseBase64(credentialId), key: parseKey(key) })),
      demands,
      crypto: nodeCrypto,
    },
    browser,
  );
  const key = keys.find((enrolled) => enrolled.key === used.record)!;
  return { signature: { keyid: key.fingerprint, sig: signature }, key };
}
