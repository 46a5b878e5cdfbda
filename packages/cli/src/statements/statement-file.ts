import {
  encodeEnvelope,
  type Envelope,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  type SignedStatement,
  type Statement,
  verifyEnvelope,
} from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { readIfThere, readWhole } from "../files/read-file.ts";

/** A statement on its way from signer to signer: well-formed, with all its signatures good. */
export interface StatementFile {
  envelope: Envelope;
  statement: Statement;
  /** Hex. */
  digest: string;
  /** Fingerprints. */
  signers: string[];
  /** As the rules judge it, its signatures verified. */
  signed: SignedStatement;
}

/** Reads a `.touchmark` file and verifies every signature in it. Throws `CoreError` and what the system throws. */
export function readStatementFile(path: string): StatementFile {
  return openStatement(readWhole(path, MAX_ENVELOPE_BYTES));
}

/** As `readStatementFile`; null if there is no such file. */
export function readStatementIfThere(path: string): StatementFile | null {
  const bytes = readIfThere(path, MAX_ENVELOPE_BYTES);
  return bytes === null ? null : openStatement(bytes);
}

/** A statement that nobody has signed. Throws `CoreError` if the payload is not a valid one. */
export function unsignedStatement(payload: Uint8Array): StatementFile {
  return openStatement(encodeEnvelope({ payload, signatures: [] }));
}

/** Reads an envelope and verifies every signature in it. Throws `CoreError`. */
export function openStatement(bytes: Uint8Array): StatementFile {
  const signed = verifyEnvelope(nodeCrypto, bytes);
  const envelope = parseEnvelope(bytes);
  const { statement, digest } = signed;
  return { envelope, statement, digest, signers: envelope.signatures.map(({ keyid }) => keyid), signed };
}
