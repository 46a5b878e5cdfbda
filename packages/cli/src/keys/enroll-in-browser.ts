import { encodeBase64, encodeHex, keyFingerprint, parseBase64, parseKey } from "@touchmark/core";
import { FLAG, parseBrowserSpec } from "@touchmark/fido";
import { type BrowserEdges, enrollInBrowser } from "@touchmark/fido/browser";
import { nodeCrypto } from "@touchmark/log";
import type { EnrolledKey } from "./key-store.ts";

export interface BrowserEnrolment {
  holder: string;
  /** `browser` or `browser:https://…/`. */
  device: string;
  userVerification: boolean;
  known: readonly EnrolledKey[];
}

/** Makes a key through a page in a browser. Throws FidoError, CoreError. */
export async function enrollKeyInBrowser(request: BrowserEnrolment, edges: BrowserEdges): Promise<EnrolledKey> {
  const { holder, device, userVerification, known } = request;
  const place = parseBrowserSpec(device);
  const here = known.filter(({ key }) => parseKey(key).application === place.rpId);
  const { key, credentialId, aaguid, flags, transports, attestation } = await enrollInBrowser(
    {
      place,
      holder,
      excludeCredentialIds: here.map((other) => parseBase64(other.credentialId)),
      userVerification,
      crypto: nodeCrypto,
    },
    edges,
  );
  return {
    holder,
    key: key.record,
    fingerprint: keyFingerprint(nodeCrypto, key),
    credentialId: encodeBase64(credentialId),
    device,
    model: { name: `${describeKind(flags)} of ${place.rpId}`, aaguid: encodeHex(aaguid), transports: [...transports] },
    userVerification,
    attestation: {
      format: attestation.format,
      object: encodeBase64(attestation.object), // [K-16]
      clientData: encodeBase64(attestation.clientData), // [K-17]
    },
  };
}

// BE says for good whether a key can ever leave its device, BS whether it has.
function describeKind(flags: number): string {
  if ((flags & FLAG.bs) !== 0) return "synced passkey";
  return (flags & FLAG.be) !== 0 ? "syncable passkey" : "passkey on one device";
}
