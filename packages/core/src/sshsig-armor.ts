import { encodeBase64, parseBase64, parseUtf8 } from "./bytes.ts";
import { CoreError } from "./errors.ts";

const COLUMNS = 70;
const BEGIN = "-----BEGIN SSH SIGNATURE-----";
const END = "-----END SSH SIGNATURE-----";
const MAX_ARMORED = 16_384; // a blob of [C-15] in base64, with room for its frame

/** The armored form of an SSHSIG blob, the `.sig` file that `ssh-keygen -Y verify` reads. */
export function encodeArmoredSignature(blob: Uint8Array): string {
  const lines = encodeBase64(blob).match(new RegExp(`.{1,${COLUMNS}}`, "g")) ?? [];
  return [BEGIN, ...lines, END, ""].join("\n");
}

/** The SSHSIG blob in an armored file, written exactly as `ssh-keygen -Y sign` writes it. Throws `MALFORMED`, `TOO_LARGE`. */
export function parseArmoredSignature(file: Uint8Array): Uint8Array {
  if (file.length > MAX_ARMORED) throw new CoreError("TOO_LARGE", "C-15", "The signature file is too long.");
  const text = parseUtf8(file);
  const blob = parseBase64(text.split("\n").slice(1, -2).join(""));
  if (blob.length > 0 && encodeArmoredSignature(blob) === text) return blob;
  throw new CoreError("MALFORMED", "K-5", "This is not an armored SSH signature.");
}
