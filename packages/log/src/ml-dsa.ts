/**
 * ML-DSA-44 (FIPS 204) with the empty context: by `node:crypto` where the Node at hand has it (24 and later), else by @noble/post-quantum, if that is
 * installed. Where there is neither, nothing is said of a signature: it could not be checked.
 */
import { createPrivateKey, createPublicKey, sign as signBytes, verify as verifyBytes } from "node:crypto";
import { createRequire } from "node:module";
import type * as noble from "@noble/post-quantum/ml-dsa.js";
import { LogError } from "./error.ts";
import { keyCache } from "./key-cache.ts";

export const ML_DSA_44_KEY_BYTES = 1312;
export const ML_DSA_44_SIGNATURE_BYTES = 2420;

/** One way to compute ML-DSA-44. Lengths were checked before. */
export type MlDsa44 = {
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
  /** From a 32-byte seed. */
  readonly signer: (seed: Uint8Array) => {
    readonly publicKey: Uint8Array;
    readonly sign: (message: Uint8Array) => Uint8Array;
  };
};

/** Whether the signature is good; `undefined` if this Node cannot tell. Anything of a wrong length is `false`. */
export function verifyMlDsa44(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  backend: MlDsa44 | null = findMlDsa44(),
): boolean | undefined {
  if (publicKey.length !== ML_DSA_44_KEY_BYTES || signature.length !== ML_DSA_44_SIGNATURE_BYTES) return false;
  return backend?.verify(publicKey, message, signature);
}

/** Key and signing function of a 32-byte seed. Throws `BAD_KEY`, `UNSUPPORTED`. */
export function mlDsa44Signer(
  seed: Uint8Array,
  backend: MlDsa44 | null = findMlDsa44(),
): ReturnType<MlDsa44["signer"]> {
  if (seed.length !== 32) throw new LogError("BAD_KEY", "An ML-DSA-44 seed is 32 bytes long.");
  if (backend !== null) return backend.signer(seed);
  throw new LogError("UNSUPPORTED", "This Node cannot make ML-DSA-44 signatures.", {
    hint: "Use Node 24 or later, or install @noble/post-quantum.",
  });
}

let found: MlDsa44 | null | undefined;

function findMlDsa44(): MlDsa44 | null {
  return (found ??= nativeMlDsa44() ?? nobleMlDsa44() ?? null);
}

/** By `node:crypto`; `undefined` where it does not have the algorithm. */
export function nativeMlDsa44(): MlDsa44 | undefined {
  const publicKeyOf = keyCache(
    (raw) => ({ key: Buffer.concat([SPKI, raw]), format: "der", type: "spki" }),
    ML_DSA_44_KEY_BYTES,
    MAX_KEYS,
  );
  // Every string of this length is a key. Node 22 reads one without knowing what it is, and then calls every signature false.
  const probe = publicKeyOf(new Uint8Array(ML_DSA_44_KEY_BYTES));
  if (String(probe?.asymmetricKeyType) !== "ml-dsa-44") return undefined;
  return {
    verify: (publicKey, message, signature) => verifyBytes(null, message, publicKeyOf(publicKey)!, signature),
    signer: (seed) => {
      const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_SEED, seed]), format: "der", type: "pkcs8" });
      const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
      return {
        publicKey: Uint8Array.from(spki.subarray(SPKI.length)),
        sign: (message) => Uint8Array.from(signBytes(null, message, privateKey)),
      };
    },
  };
}

/** By @noble/post-quantum, which is loaded only when it is needed; `undefined` where it is not installed. */
export function nobleMlDsa44(): MlDsa44 | undefined {
  const require = createRequire(import.meta.url);
  try {
    const { ml_dsa44: scheme } = require("@noble/post-quantum/ml-dsa.js") as typeof noble;
    return {
      verify: (publicKey, message, signature) => scheme.verify(signature, message, publicKey),
      signer: (seed) => {
        const { publicKey, secretKey } = scheme.keygen(seed);
        return { publicKey, sign: (message) => scheme.sign(message, secretKey) };
      },
    };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

const MAX_KEYS = 64;
const SPKI = Buffer.from("30820532300b06096086480165030403110382052100", "hex");
const PKCS8_SEED = Buffer.from("3034020100300b060960864801650304031104228020", "hex");
