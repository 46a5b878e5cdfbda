// The file in which OpenSSH keeps a security key's handle: openssh-key-v1, of OpenSSH's PROTOCOL.key and PROTOCOL.u2f. Nothing in it
// is secret, as without the security key it signs nothing; OpenSSH itself insists on the file mode 0600.
import { cleanText, encodeBase64, type Key, parseBase64, parseKeyBlob } from "@touchmark/core";
import { CliError } from "../error.ts";

/** What such a file says. */
export interface OpensshKey {
  key: Key;
  /** The credential id. */
  handle: Uint8Array;
  /** OpenSSH asks for PIN or fingerprint at each signature. */
  userVerification: boolean;
  comment: string;
}

const BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END = "-----END OPENSSH PRIVATE KEY-----";
const COLUMNS = 70;
const MAGIC = "openssh-key-v1\0";
const BLOCK = 8;
const FLAG_UP = 0x01;
const FLAG_UV = 0x04;
const FLAG_RESIDENT = 0x20;

/** The file of a security key. `check` is any number: it stands twice, for whoever decrypts such files. */
export function encodeOpensshKey({ key, handle, userVerification, comment }: OpensshKey, check: number): string {
  const flags = FLAG_UP | (userVerification ? FLAG_UV : 0);
  return encodeFile({ blob: key.blob, handle, comment: Buffer.from(comment), flags, check });
}

/** Reads such a file, written exactly as ssh-keygen writes it, without a passphrase. Throws `SSH_KEY_MALFORMED`, `BAD_KEY`. */
export function parseOpensshKey(text: string): OpensshKey {
  const fields = readFile(text);
  // The file as a whole is held against what it would be: what was not read can't say anything else.
  if (encodeFile(fields) !== text) throw malformed("it is not written as ssh-keygen writes it");
  const { flags } = fields;
  if ((flags & FLAG_UP) === 0) throw malformed("its key signs without being touched");
  if ((flags & ~(FLAG_UP | FLAG_UV | FLAG_RESIDENT)) !== 0) throw malformed("it has flags that are not known");
  if (fields.handle.length === 0) throw malformed("it has no key handle");
  return {
    key: parseKeyBlob(Uint8Array.from(fields.blob)),
    handle: Uint8Array.from(fields.handle),
    userVerification: (flags & FLAG_UV) !== 0,
    comment: cleanText(Buffer.from(fields.comment).toString("utf8")),
  };
}

interface Fields {
  /** The public key's, with the application at its end. */
  blob: Uint8Array;
  flags: number;
  handle: Uint8Array;
  comment: Uint8Array;
  check: number;
}

function encodeFile({ blob, flags, handle, comment, check }: Fields): string {
  const secret = Buffer.concat([
    uint32(check),
    uint32(check),
    blob,
    Buffer.of(flags),
    string(handle),
    string(""), // reserved
    string(comment),
  ]);
  const padding = Buffer.from(Array.from({ length: (BLOCK - (secret.length % BLOCK)) % BLOCK }, (_, i) => i + 1));
  const file = Buffer.concat([
    Buffer.from(MAGIC),
    string("none"), // cipher
    string("none"), // key derivation
    string(""), // and its options
    uint32(1),
    string(blob),
    string(Buffer.concat([secret, padding])),
  ]);
  const lines = encodeBase64(file).match(new RegExp(`.{1,${COLUMNS}}`, "g")) ?? [];
  return [BEGIN, ...lines, END, ""].join("\n");
}

function readFile(text: string): Fields {
  const lines = text.split("\n");
  if (lines[0] !== BEGIN) throw malformed("it does not begin as one");
  const outer = reader(Buffer.from(decode(lines.slice(1, -2).join(""))));
  outer.take(MAGIC.length);
  if (outer.string().toString("latin1") !== "none") {
    throw new CliError(
      "SSH_KEY_MALFORMED",
      "The OpenSSH private key has a passphrase.",
      "Take it off a copy with ssh-keygen -p, or use it as it is with --device ssh:FILE.",
    );
  }
  outer.string();
  outer.string();
  outer.uint32();
  const blob = outer.string();
  const inner = reader(outer.string());
  const check = inner.uint32();
  inner.uint32();
  inner.take(blob.length);
  const flags = inner.take(1)[0]!;
  const handle = inner.string();
  inner.string();
  return { blob, check, flags, handle, comment: inner.string() };
}

function decode(base64: string): Uint8Array {
  try {
    return parseBase64(base64);
  } catch (cause) {
    throw malformed("it is not canonical base64", cause);
  }
}

function reader(bytes: Buffer): { take(length: number): Buffer; uint32(): number; string(): Buffer } {
  let at = 0;
  const take = (length: number): Buffer => {
    if (length > bytes.length - at) throw malformed("it is cut short");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const uint32At = (): number => take(4).readUInt32BE();
  return { take, uint32: uint32At, string: () => take(uint32At()) };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function malformed(what: string, cause?: unknown): CliError {
  return new CliError(
    "SSH_KEY_MALFORMED",
    `This is not the OpenSSH private key file of a security key: ${what}.`,
    "ssh-keygen -t ed25519-sk makes such files.",
    cause,
  );
}
