import { type Envelope, envelopeSignedBytes, parseSignatures } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";

/** The bare P-256 checks of envelopes: keys (SPKI, base64) and for each signature what it is over. */
export interface SignatureFloor {
  keys: string[];
  signatures: { key: number; message: string; signature: string }[];
}

export function signatureFloor(): { add: (envelope: Envelope) => void; floor: () => SignatureFloor } {
  const keys = new Map<string, number>();
  const signatures: SignatureFloor["signatures"] = [];
  const add = (envelope: Envelope): void => {
    const tbs = envelopeSignedBytes(nodeCrypto, envelope.payload);
    for (const { key, flags, counter, signature } of parseSignatures(nodeCrypto, envelope)) {
      const spki = Buffer.concat([P256_SPKI, key.publicKey]).toString("base64");
      if (!keys.has(spki)) keys.set(spki, keys.size);
      const tail = Buffer.from([flags, 0, 0, 0, 0]);
      tail.writeUInt32BE(counter, 1);
      const message = Buffer.concat([nodeCrypto.sha256(Buffer.from(key.application)), tail, nodeCrypto.sha256(tbs)]);
      signatures.push({
        key: keys.get(spki)!,
        message: message.toString("base64"),
        signature: Buffer.from(signature).toString("base64"),
      });
    }
  };
  return { add, floor: () => ({ keys: [...keys.keys()], signatures }) };
}

const P256_SPKI = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
