/** Signature checks on the thread pool, with core's rules as they are. */
import { type Crypto, type SignedStatement, verifyEnvelope } from "@touchmark/core";
import { nodeCrypto, verifyEd25519Async, verifyP256Async } from "@touchmark/log";

/**
 * As core's `verifyEnvelope`, but the checks run beside the main thread. Core is run once with a backend that notes each check and says yes; the outcome
 * counts only if each noted check does. If one does not, core is run again on the real backend, for the error that it gives.
 */
export async function verifyEnvelopeOnPool(bytes: Uint8Array): Promise<SignedStatement> {
  const checks: (() => Promise<boolean>)[] = [];
  const signed = verifyEnvelope(
    notingCrypto((check) => checks.push(check)),
    bytes,
  );
  const answers = await Promise.all(checks.map((check) => check()));
  return answers.every((good) => good) ? signed : verifyEnvelope(nodeCrypto, bytes);
}

/** Reads an envelope whose signatures this log verified before it took it in. */
export function readAdmittedEnvelope(bytes: Uint8Array): SignedStatement {
  return verifyEnvelope(
    notingCrypto(() => undefined),
    bytes,
  );
}

function notingCrypto(note: (check: () => Promise<boolean>) => void): Crypto {
  return {
    ...nodeCrypto,
    verifyEd25519: (publicKey, message, signature) => {
      note(() => verifyEd25519Async(publicKey, message, signature));
      return true;
    },
    verifyP256: (point, message, signature) => {
      note(() => verifyP256Async(point, message, signature));
      return true;
    },
  };
}
