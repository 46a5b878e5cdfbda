/** Signature checks on the thread pool, with core's rules as they are. */
import { CoreError, type Crypto, type SignedStatement, verifyEnvelope } from "@touchmark/core";
import { nodeCrypto, verifyEd25519Async, verifyP256Async } from "@touchmark/log";

/** An envelope as it is before its signatures are checked: believe `signed` only after `verify`. */
export type OpenedEnvelope = { readonly signed: SignedStatement; readonly verify: () => Promise<void> };

/**
 * As core's `verifyEnvelope`, but the checks run beside the main thread, and when asked for. Core is run with a backend that notes each check and says yes;
 * the outcome counts only if each noted check does. If one does not, core is run again on the real backend, for the error that it gives.
 */
export function openEnvelope(source: Uint8Array | string): OpenedEnvelope {
  const checks: (() => Promise<boolean>)[] = [];
  const signed = verifyEnvelope(
    notingCrypto((check) => checks.push(check)),
    source,
  );
  const verify = async (): Promise<void> => {
    const answers = await Promise.all(checks.map((check) => check()));
    if (answers.every((good) => good)) return;
    verifyEnvelope(nodeCrypto, source);
    throw new CoreError("BAD_SIGNATURE", "S-4", "A signature of the envelope does not verify.");
  };
  return { signed, verify };
}

/** Reads an envelope whose signatures this log verified before it took it in. */
export function readAdmittedEnvelope(bytes: Uint8Array): SignedStatement {
  return openEnvelope(bytes).signed;
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
