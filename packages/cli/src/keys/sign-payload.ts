import {
  type Authority,
  CoreError,
  encodeSshSignature,
  type EnvelopeSignature,
  envelopeSignedBytes,
  parseArmoredSignature,
  parseBase64,
  parseKey,
  parseSshSignature,
  preAuthEncoding,
  signatureFromAssertion,
  type SshSignature,
  verifySshSignature,
} from "@touchmark/core";
import { assertKey, type Interaction, isBrowserSpec, type WatchEdges } from "@touchmark/fido";
import type { BrowserEdges } from "@touchmark/fido/browser";
import { nodeCrypto } from "@touchmark/log";
import { CliError } from "../error.ts";
import type { Io } from "../io.ts";
import type { EnrolledKey } from "./key-store.ts";
import { openKey } from "./open-key.ts";
import { isSsh, readPublicKeyFile, signWithSshKeygen, sshFileOf } from "./ssh-device.ts";

export interface SigningRequest {
  payload: Uint8Array;
  /** Keys of one holder with one application; whichever is plugged in signs. */
  keys: readonly EnrolledKey[];
  device: string;
  demands: Pick<Authority, "userVerification" | "deviceBound">;
  interaction: Interaction;
  browser: BrowserEdges;
  /** How the key is found. */
  watch: WatchEdges;
  /** The file of `--trace`, by its whole path. */
  trace: string | undefined;
  /** For ssh-keygen, which finds its agent by it. */
  env: Io["env"];
}

interface Made {
  signature: SshSignature;
  key: EnrolledKey;
}

/** One signature over a statement with one touch, verified before it is given back. Throws `BAD_OWN_SIGNATURE`, CliError, FidoError. */
export async function signPayload(
  request: SigningRequest,
): Promise<{ signature: EnvelopeSignature; key: EnrolledKey }> {
  if (isBrowserSpec(request.device)) return (await import("./sign-in-browser.ts")).signPayloadInBrowser(request);
  const tbs = envelopeSignedBytes(nodeCrypto, request.payload);
  const { signature, key } = isSsh(request.device) ? await signOverSsh(request) : await signDirectly(request, tbs);
  verifyOwn(() => {
    verifySshSignature(nodeCrypto, signature, tbs, request.demands);
  });
  return { signature: { keyid: key.fingerprint, sig: encodeSshSignature(signature) }, key };
}

async function signDirectly(request: SigningRequest, tbs: Uint8Array): Promise<Made> {
  const { keys, demands, interaction, trace } = request;
  const rpId = parseKey(keys[0]!.key).application;
  const credentialIds = keys.map(({ credentialId }) => parseBase64(credentialId));
  const device = await openKey({
    device: request.device,
    trace,
    interaction,
    watch: request.watch,
    // What was made with a PIN may hide from whoever hasn't given it.
    holding: { rpId, credentialIds, mayHide: keys.some(({ userVerification }) => userVerification) },
  });
  try {
    const assertion = await assertKey({
      device,
      rpId,
      clientDataHash: nodeCrypto.sha256(tbs), // [K-8]
      credentialIds,
      wantUv: demands.userVerification,
      interaction,
    });
    const used = credentialIds.findIndex((id) => Buffer.compare(id, assertion.credentialId) === 0);
    const key = keys[used];
    if (key === undefined) throw bad("The security key signed with a credential that nobody asked for.");
    return {
      signature: signatureFromAssertion(nodeCrypto, parseKey(key.key), assertion.authData, assertion.signature),
      key,
    };
  } finally {
    await device.close();
  }
}

async function signOverSsh({ payload, keys, device, interaction, trace, env }: SigningRequest): Promise<Made> {
  const file = sshFileOf(device);
  if (trace !== undefined)
    throw new CliError("USAGE", "What ssh-keygen says to a key cannot be traced.", "Leave --trace out.");
  const { record } = readPublicKeyFile(file);
  const key = keys.find((one) => one.key === record);
  if (key === undefined)
    throw new CliError(
      "NO_KEY",
      `${file} is another key than the one that was enrolled.`,
      "touchmark key list shows where each was enrolled.",
    );
  interaction.showTouch(`the key of ${file}`);
  const armored = await signWithSshKeygen(file, preAuthEncoding(payload), { env, signal: interaction.signal });
  const signature = readOwn(() => parseSshSignature(parseArmoredSignature(armored)));
  if (signature.key.record !== record) throw bad("ssh-keygen signed with another key than the one asked for.");
  return { signature, key };
}

function readOwn<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw bad("What ssh-keygen made is no signature that can be read; nothing was written.", cause);
  }
}

function verifyOwn(verify: () => void): void {
  try {
    verify();
  } catch (cause) {
    // ssh-keygen can't be asked for it: it is a property of the key that was made.
    if (cause instanceof CoreError && cause.code === "NO_USER_VERIFICATION")
      throw new CliError(
        "BAD_OWN_SIGNATURE",
        "The key signed without PIN or fingerprint; nothing was written.",
        "An OpenSSH key asks for its PIN if it was made with ssh-keygen -O verify-required.",
        cause,
      );
    throw bad("The security key's signature does not verify; nothing was written.", cause);
  }
}

function bad(message: string, cause?: unknown): CliError {
  return new CliError("BAD_OWN_SIGNATURE", message, "Try again; if this comes back, use another key.", cause);
}
