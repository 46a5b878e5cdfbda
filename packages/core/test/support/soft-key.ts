import { createPrivateKey, createPublicKey, hash, type KeyObject, randomBytes, sign } from "node:crypto";
import {
  type Crypto,
  encodeKey,
  encodeSshSignature,
  type EnvelopeSignature,
  envelopeSignedBytes,
  type Key,
  keyFingerprint,
  type KeyType,
  SK_ECDSA,
  SK_ED25519,
  type SshSignature,
  USB_APPLICATION,
} from "../../src/index.ts";
import { nobleCrypto } from "../../src/noble.ts";

export interface SoftKeyOptions {
  /** `SK_ED25519` when left out. */
  type?: KeyType;
  /** `ssh:touchmark` when left out. */
  application?: string;
  /** Makes a browser's key, which signs in the form of [K-9] for this origin. Wants `SK_ECDSA`. */
  origin?: string;
  /** The same seed gives the same key; random when left out. */
  seed?: string;
}

export interface SoftSignOptions {
  /** UP (0x01) when left out. */
  flags?: number;
  counter?: number;
  /** Browser's form only: what stands in place of the honest clientDataJSON, and the extensions. */
  clientData?: Uint8Array;
  extensions?: Uint8Array;
}

/** An authenticator in software: it signs what a security key would sign [K-8], whatever flags it is told to claim. */
export interface SoftKey {
  key: Key;
  record: string;
  fingerprint: string;
  /** Signs an envelope's payload. */
  sign: (crypto: Crypto, payload: Uint8Array, options?: SoftSignOptions) => EnvelopeSignature;
  /** Signs tbs bytes (`signedBytes`). */
  signBytes: (tbs: Uint8Array, options?: SoftSignOptions) => SshSignature;
}

export function makeSoftKey(options: SoftKeyOptions = {}): SoftKey {
  const type = options.type ?? SK_ED25519;
  const secret = makePrivateKey(type, options.seed);
  const key = encodeKey(type, publicBytes(type, secret), options.application ?? USB_APPLICATION);
  const signBytes = (tbs: Uint8Array, how: SoftSignOptions = {}): SshSignature => {
    const flags = how.flags ?? 0x01;
    const counter = how.counter ?? 1;
    const webauthn =
      options.origin === undefined
        ? null
        : {
            origin: options.origin,
            clientData: how.clientData ?? clientDataFor(tbs, options.origin),
            extensions: how.extensions ?? new Uint8Array(0),
          };
    const tail = Buffer.alloc(5);
    tail.writeUInt8(flags);
    tail.writeUInt32BE(counter, 1);
    const signed = Buffer.concat([
      hash("sha256", key.application, "buffer"),
      tail,
      webauthn?.extensions ?? new Uint8Array(0),
      hash("sha256", webauthn?.clientData ?? tbs, "buffer"),
    ]);
    const signature = Uint8Array.from(sign(type === SK_ECDSA ? "sha256" : null, signed, secret));
    return { key, flags, counter, signature, webauthn };
  };
  const fingerprint = keyFingerprint(nobleCrypto, key);
  return {
    key,
    record: key.record,
    fingerprint,
    signBytes,
    sign: (crypto, payload, how) => ({
      keyid: fingerprint,
      sig: encodeSshSignature(signBytes(envelopeSignedBytes(crypto, payload), how)),
    }),
  };
}

/** The clientDataJSON that a browser makes for tbs at an origin. */
export function clientDataFor(tbs: Uint8Array, origin: string): Uint8Array {
  const challenge = Buffer.from(tbs).toString("base64url");
  return new TextEncoder().encode(
    `{"type":"webauthn.get","challenge":"${challenge}","origin":"${origin}","crossOrigin":false}`,
  );
}

const PKCS8 = {
  [SK_ED25519]: "302e020100300506032b657004220420",
  [SK_ECDSA]: "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420",
};

function makePrivateKey(type: KeyType, seed: string | undefined): KeyObject {
  const secret = seed === undefined ? randomBytes(32) : hash("sha256", `touchmark test key ${seed}`, "buffer");
  secret[0]! &= 0x7f; // below the order of P-256
  return createPrivateKey({
    key: Buffer.concat([Buffer.from(PKCS8[type], "hex"), secret]),
    format: "der",
    type: "pkcs8",
  });
}

// Both SubjectPublicKeyInfo forms end in the raw key.
function publicBytes(type: KeyType, secret: KeyObject): Uint8Array {
  const spki = createPublicKey(secret).export({ format: "der", type: "spki" });
  return Uint8Array.from(spki.subarray(type === SK_ECDSA ? -65 : -32));
}
