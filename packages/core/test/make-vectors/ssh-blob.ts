import type { SshSignature } from "../../src/index.ts";

/** What a blob holds instead of what it should. */
export interface BlobChanges {
  magic?: string;
  version?: number;
  key?: Uint8Array;
  namespace?: string;
  reserved?: string;
  hash?: string;
  /** After the blob, after its signature field. */
  tail?: string;
  type?: string;
  raw?: Uint8Array;
  flags?: number;
  counter?: number;
  origin?: string;
  clientData?: Uint8Array;
  fieldTail?: string;
}

const SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com";
const WEBAUTHN = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";

/** An SSHSIG blob written independently of the code under test, so that it can be written wrongly. */
export function writeBlob(signature: SshSignature, changes: BlobChanges = {}): Buffer {
  const { key, webauthn } = signature;
  const type = changes.type ?? (webauthn ? WEBAUTHN : key.type);
  const field = Buffer.concat([
    sshString(type),
    sshString(changes.raw ?? (key.type === SK_ECDSA ? mpints(signature.signature) : signature.signature)),
    Buffer.of(changes.flags ?? signature.flags),
    uint32(changes.counter ?? signature.counter),
    ...(webauthn
      ? [
          sshString(changes.origin ?? webauthn.origin),
          sshString(changes.clientData ?? webauthn.clientData),
          sshString(webauthn.extensions),
        ]
      : []),
    Buffer.from(changes.fieldTail ?? ""),
  ]);
  return Buffer.concat([
    Buffer.from(changes.magic ?? "SSHSIG"),
    uint32(changes.version ?? 1),
    sshString(changes.key ?? key.blob),
    sshString(changes.namespace ?? "touchmark"),
    sshString(changes.reserved ?? ""),
    sshString(changes.hash ?? "sha512"),
    sshString(field),
    Buffer.from(changes.tail ?? ""),
  ]);
}

/** The key blob of a plain SSH key, or any other made of strings. */
export function writeStrings(...parts: (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map(sshString));
}

/** The two integers of a DER signature. */
export function readDer(der: Uint8Array): { r: Buffer; s: Buffer } {
  const bytes = Buffer.from(der);
  const end = 4 + bytes[3]!;
  return { r: bytes.subarray(4, end), s: bytes.subarray(end + 2) };
}

function mpints(der: Uint8Array): Buffer {
  const { r, s } = readDer(der);
  return writeStrings(r, s);
}

function sshString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
