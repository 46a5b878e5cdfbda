import { randomBytes } from "node:crypto";
import { encodeUtf8, keyFingerprint, parseKey, USB_APPLICATION } from "@touchmark/core";
import { FidoError } from "@touchmark/fido";
import { nodeCrypto } from "@touchmark/log";
import type { Context } from "../command.ts";
import { makeBrowserEdges } from "./browser-edges.ts";
import { makeInteraction } from "./interaction.ts";
import type { EnrolledKey } from "./key-store.ts";
import { signPayload } from "./sign-payload.ts";
import { readPublicKeyFile, sshFileOf } from "./ssh-device.ts";

export interface SshWish {
  holder: string;
  /** `ssh:FILE` by its whole path. */
  device: string;
  userVerification: boolean;
  known: readonly EnrolledKey[];
  trace: string | undefined;
}

/** Takes a key that ssh-keygen has made as it is, after a first signature that shows that it works. Throws CliError, `CREDENTIAL_EXCLUDED`. */
export async function enrolSshKey(wish: SshWish, context: Context): Promise<EnrolledKey> {
  const { holder, device, userVerification } = wish;
  const { application, record } = readPublicKeyFile(sshFileOf(device));
  const key = foreignKey({ holder, record, device, userVerification, credentialId: "", known: wish.known });
  if (application !== USB_APPLICATION) {
    context.ui.warn(
      `the key is made for "${application}", so it may be in use elsewhere`,
      `One of its own is better: ssh-keygen -t ed25519-sk -O application=${USB_APPLICATION} -f FILE`,
    );
  }
  await signPayload({
    payload: encodeUtf8(`touchmark key test v1\n${randomBytes(32).toString("hex")}\n`),
    keys: [key],
    device,
    demands: { userVerification, deviceBound: false },
    interaction: makeInteraction(context, undefined),
    watch: context.io.watch ?? {},
    trace: wish.trace,
    env: context.io.env,
    browser: makeBrowserEdges(context, { "no-open": true, paste: false }),
  });
  return key;
}

/** A key that was made elsewhere, without attestation. Throws `CREDENTIAL_EXCLUDED` if it is enrolled. */
export function foreignKey({
  holder,
  record,
  device,
  credentialId,
  userVerification,
  known,
}: Pick<EnrolledKey, "holder" | "device" | "credentialId" | "userVerification"> & {
  record: string;
  known: readonly EnrolledKey[];
}): EnrolledKey {
  if (known.some(({ key }) => key === record)) {
    throw new FidoError("CREDENTIAL_EXCLUDED", "This key is already enrolled.", {
      hint: "Enrol another key, or go on with this one.",
    });
  }
  return {
    holder,
    key: record,
    fingerprint: keyFingerprint(nodeCrypto, parseKey(record)),
    credentialId,
    device,
    model: { name: "OpenSSH security key", aaguid: "0".repeat(32), transports: [] },
    userVerification,
    attestation: null,
  };
}
