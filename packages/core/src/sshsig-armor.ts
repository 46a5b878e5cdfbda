import { encodeBase64 } from "./bytes.ts";

const COLUMNS = 70;

/** The armored form of an SSHSIG blob, the `.sig` file that `ssh-keygen -Y verify` reads. */
export function encodeArmoredSignature(blob: Uint8Array): string {
  const lines = encodeBase64(blob).match(new RegExp(`.{1,${COLUMNS}}`, "g")) ?? [];
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}
