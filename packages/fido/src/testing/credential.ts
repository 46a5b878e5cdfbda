// Credentials are not stored: the private key travels, sealed under the device's secret, in the credential id.
import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { type Algorithm, type CredentialPublicKey, EDDSA, ES256 } from "../ctap2/cose-key.ts";
import { createAgreement } from "../ctap2/pin-protocol.ts";
import type { RandomBytes } from "../pipe/packet-pipe.ts";

export interface SoftCredential {
  readonly id: Uint8Array;
  readonly algorithm: Algorithm;
  readonly publicKey: CredentialPublicKey;
  /** Level of credProtect; 0 = not asked for. */
  readonly protection: number;
  /** DER for ES256, 64 bytes for EdDSA. */
  sign(message: Uint8Array): Uint8Array;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const SECRET_BYTES = 32;
export const CREDENTIAL_ID_BYTES: number = IV_BYTES + 2 + SECRET_BYTES + TAG_BYTES;

export function createCredential(
  deviceSecret: Uint8Array,
  rpIdHash: Uint8Array,
  algorithm: Algorithm,
  randomBytes: RandomBytes,
  protection = 0,
): SoftCredential {
  const secret = algorithm === ES256 ? new Uint8Array(32) : randomBytes(SECRET_BYTES);
  if (algorithm === ES256) {
    const scalar = createAgreement(randomBytes).getPrivateKey();
    secret.set(scalar, SECRET_BYTES - scalar.length);
  }
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", deviceSecret, iv).setAAD(rpIdHash);
  const sealed = Buffer.concat([cipher.update(Uint8Array.of(algorithm & 0xff, protection, ...secret)), cipher.final()]);
  const id = new Uint8Array(Buffer.concat([iv, sealed, cipher.getAuthTag()]));
  return fromSecret(id, algorithm, protection, secret);
}

/** The credential in `id`; undefined if this device did not make it for this application. */
export function openCredential(
  deviceSecret: Uint8Array,
  rpIdHash: Uint8Array,
  id: Uint8Array,
): SoftCredential | undefined {
  if (id.length !== CREDENTIAL_ID_BYTES) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", deviceSecret, id.subarray(0, IV_BYTES)).setAAD(rpIdHash);
  decipher.setAuthTag(id.subarray(-TAG_BYTES));
  try {
    const plain = Buffer.concat([decipher.update(id.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
    const [algorithm, protection = 0] = plain;
    return fromSecret(id, algorithm === (ES256 & 0xff) ? ES256 : EDDSA, protection, plain.subarray(2));
  } catch {
    return undefined;
  }
}

function fromSecret(id: Uint8Array, algorithm: Algorithm, protection: number, secret: Uint8Array): SoftCredential {
  const prefix = algorithm === ES256 ? P256_PKCS8 : ED25519_PKCS8;
  const privateKey = createPrivateKey({ key: Buffer.concat([prefix, secret]), format: "der", type: "pkcs8" });
  return {
    id,
    algorithm,
    protection,
    publicKey: publicKeyOf(privateKey, algorithm),
    sign: (message) => new Uint8Array(sign(algorithm === ES256 ? "sha256" : null, message, privateKey)),
  };
}

// RFC 5958 with RFC 5915 (P-256) or RFC 8410 (Ed25519), up to where the 32 secret bytes go.
const P256_PKCS8: Buffer = Buffer.from("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420", "hex");
const ED25519_PKCS8: Buffer = Buffer.from("302e020100300506032b657004220420", "hex");

function publicKeyOf(privateKey: KeyObject, algorithm: Algorithm): CredentialPublicKey {
  const { x = "", y = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const [left, right] = [Buffer.from(x, "base64url"), Buffer.from(y, "base64url")];
  if (algorithm === EDDSA) return { alg: "EdDSA", key: new Uint8Array(left) };
  return { alg: "ES256", point: new Uint8Array([0x04, ...left, ...right]) };
}
