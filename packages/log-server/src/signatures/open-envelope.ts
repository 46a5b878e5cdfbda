/** Signature checks beside the main thread, with core's rules as they are. */
import { CoreError, type Crypto, type SignedStatement, verifyEnvelope } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import type { SignatureCheck } from "./check-message.ts";
import { createCheckPool } from "./check-pool.ts";

const checkAll = createCheckPool();

/** An envelope as it is before its signatures are checked: believe `signed` only after `verify`. */
export type OpenedEnvelope = { readonly signed: SignedStatement; readonly verify: () => Promise<void> };

/**
 * As core's `verifyEnvelope`, but the checks run beside the main thread, and when asked for. Core is run with a backend that notes each check and says yes;
 * the outcome counts only if each noted check does. If one does not, core is run again on the real backend, for the error that it gives.
 */
export function openEnvelope(source: Uint8Array | string): OpenedEnvelope {
  const checks: SignatureCheck[] = [];
  const signed = verifyEnvelope(
    notingCrypto((check) => checks.push(check)),
    source,
  );
  const verify = async (): Promise<void> => {
    const outcomes = await checkAll(checks);
    if (outcomes.every((good) => good)) return;
    verifyEnvelope(nodeCrypto, source);
    throw new CoreError("BAD_SIGNATURE", "S-4", "A signature of the envelope does not verify.");
  };
  return { signed, verify };
}

/** Reads an envelope whose signatures this log verified before it took it in. */
export function readAdmittedEnvelope(bytes: Uint8Array): SignedStatement {
  return openEnvelope(bytes).signed;
}

function notingCrypto(note: (check: SignatureCheck) => void): Crypto {
  return {
    ...nodeCrypto,
    verifyEd25519: (key, message, signature) => {
      note({ algorithm: "ed25519", key, message, signature });
      return true;
    },
    verifyP256: (key, message, signature) => {
      note({ algorithm: "p256", key, message, signature });
      return true;
    },
  };
}
