import { encodeHex } from "./bytes.ts";
import type { Crypto } from "./crypto.ts";
import { envelopeSignedBytes, parseEnvelope, parseEnvelopePayload, parseSignatures } from "./envelope.ts";
import { CoreError } from "./errors.ts";
import { keyFingerprint } from "./key.ts";
import { type SshSignature, verifySshSignatures } from "./sshsig.ts";
import { type Adopt, parseAdopt } from "./statements/adopt.ts";
import { type AdoptFinal, parseAdoptFinal } from "./statements/adopt-final.ts";
import { type Change, parseChange } from "./statements/change.ts";
import { type Claim, NO_EARLIER, parseClaim } from "./statements/claim.ts";
import { type Endorse, parseEndorse } from "./statements/endorse.ts";
import { type Funding, parseFunding } from "./statements/funding.ts";
import { type Hold, parseHold } from "./statements/hold.ts";
import { type Lift, parseLift } from "./statements/lift.ts";
import { parseProof, type Proof } from "./statements/proof.ts";
import { parseRelease, type Release } from "./statements/release.ts";
import { parseReview, type Review } from "./statements/review.ts";
import { parseRevoke, type Revoke } from "./statements/revoke.ts";
import { parseStatementForm, predicateType, type StatementParts } from "./statements/statement-form.ts";
import { parseVeto, type Veto } from "./statements/veto.ts";
import { cleanText } from "./text.ts";

/** What a payload says: one of the kinds of [S-10]. */
export type Statement =
  | Adopt
  | AdoptFinal
  | Change
  | Claim
  | Endorse
  | Funding
  | Hold
  | Lift
  | Proof
  | Release
  | Review
  | Revoke
  | Veto;

const PARSERS: Record<Statement["kind"], (crypto: Crypto, parts: StatementParts) => Statement> = {
  adopt: parseAdopt,
  "adopt-final": parseAdoptFinal,
  change: parseChange,
  claim: parseClaim,
  endorse: parseEndorse,
  funding: parseFunding,
  hold: parseHold,
  lift: parseLift,
  proof: parseProof,
  release: (_, parts) => parseRelease(parts),
  review: (_, parts) => parseReview(parts),
  revoke: parseRevoke,
  veto: parseVeto,
};
const PARSER_OF = new Map(Object.entries(PARSERS).map(([kind, parse]) => [predicateType(kind), parse]));

/** A key that signed, and the flags that its signature vouches for. */
export interface Signer {
  fingerprint: string;
  flags: number;
}

/** A statement whose every signature was verified. Whether its signers may say so is for `applyStatement`. */
export interface SignedStatement {
  statement: Statement;
  /** Hex SHA-256 of the payload [S-6], computed when it is asked for. */
  readonly digest: string;
  /** `vouched`: the caller answers for them; see `openVouchedClaim`. */
  signers: Signer[] | "vouched";
}

/** Reads a payload by its kind. Throws `MALFORMED`, `UNKNOWN_KIND`, `BAD_KEY`, `TOO_LARGE`. */
export function parseStatement(crypto: Crypto, payload: Uint8Array): Statement {
  const parts = parseStatementForm(payload);
  const parse = PARSER_OF.get(parts.predicateType);
  if (parse !== undefined) return parse(crypto, parts);
  throw new CoreError(
    "UNKNOWN_KIND",
    "S-10",
    `Statements of the kind "${cleanText(parts.predicateType, 80)}" are not known.`,
    "A newer version may know it.",
  );
}

/**
 * Opens an envelope: every signature is verified before the payload is interpreted [S-4].
 * Throws any `CoreError`; what an authority asks beyond that (user verification, hardware) is checked by `applyStatement`.
 */
export function verifyEnvelope(crypto: Crypto, source: Uint8Array | string): SignedStatement {
  const read = readSigned(crypto, source);
  verifySignatures(crypto, read);
  return interpret(crypto, read);
}

/**
 * Opens many envelopes as `verifyEnvelope` does; the error of one stands in its place. All signatures are verified in a row: with other work
 * between them, each finds the processor's caches cold, and so does the other work.
 */
export function verifyEnvelopes(
  crypto: Crypto,
  sources: readonly (Uint8Array | string)[],
): (SignedStatement | CoreError)[] {
  const read = sources.map((source) => orError(() => readSigned(crypto, source)));
  const verified = read.map((one) => (one instanceof CoreError ? one : orError(() => verifySignatures(crypto, one))));
  return verified.map((one) => (one instanceof CoreError ? one : orError(() => interpret(crypto, one))));
}

interface Signed {
  payload: Uint8Array;
  tbs: Uint8Array;
  signatures: SshSignature[];
}

function readSigned(crypto: Crypto, source: Uint8Array | string): Signed {
  const envelope = parseEnvelope(source, crypto.decodeBase64);
  const { payload } = envelope;
  return { payload, tbs: envelopeSignedBytes(crypto, payload), signatures: parseSignatures(crypto, envelope) };
}

function verifySignatures(crypto: Crypto, signed: Signed): Signed {
  verifySshSignatures(crypto, signed.signatures, signed.tbs, { userVerification: false, deviceBound: false });
  return signed;
}

function interpret(crypto: Crypto, { payload, signatures }: Signed): SignedStatement {
  const statement = parseStatement(crypto, payload);
  const signers = signatures.map(({ key, flags }) => ({ fingerprint: keyFingerprint(crypto, key), flags }));
  return new OpenedStatement(crypto, payload, statement, signers);
}

function orError<T>(work: () => T): T | CoreError {
  try {
    return work();
  } catch (error) {
    if (error instanceof CoreError) return error;
    throw error;
  }
}

/**
 * Opens a claim whose authority the caller trusts already, by its digest: nothing that its signatures could say would change that, so they are
 * not verified [V-11]. Its lists of earlier versions are left out, since for those it is the holders' word that counts: a log that forged a claim
 * could have any bytes accepted. Null if the envelope holds no claim of that authority. Throws any `CoreError` of parsing.
 */
export function openVouchedClaim(
  crypto: Crypto,
  source: Uint8Array | string,
  authorityDigest: string,
): SignedStatement | null {
  const payload = parseEnvelopePayload(source, crypto.decodeBase64);
  const statement = parseStatement(crypto, payload);
  if (statement.kind !== "claim" || statement.authority.digest !== authorityDigest) return null;
  const packages = new Map([...statement.packages].map(([id, claimed]) => [id, { ...claimed, earlier: NO_EARLIER }]));
  return new OpenedStatement(crypto, payload, { ...statement, packages }, "vouched");
}

// Nobody asks for the digest of most statements, and a log asks often. A class, since an object with a getter of its own is dear to make.
class OpenedStatement implements SignedStatement {
  readonly statement: Statement;
  readonly signers: SignedStatement["signers"];
  private readonly crypto: Crypto;
  private readonly payload: Uint8Array;
  private hashed: string | undefined;

  constructor(crypto: Crypto, payload: Uint8Array, statement: Statement, signers: SignedStatement["signers"]) {
    this.crypto = crypto;
    this.payload = payload;
    this.statement = statement;
    this.signers = signers;
    this.hashed = undefined;
  }

  get digest(): string {
    return (this.hashed ??= encodeHex(this.crypto.sha256(this.payload)));
  }
}

/** The subject ids into whose chains a statement is entered, sorted [S-40]. */
export function statementChains(statement: Statement): readonly string[] {
  switch (statement.kind) {
    case "claim":
    case "change":
    case "funding":
      return [...statement.packages.keys()];
    case "revoke":
      return statement.subjects;
    case "veto":
      return [...statement.entries.keys()];
    case "adopt":
    case "adopt-final":
      return [statement.packageId];
    case "proof":
      return [...statement.proofs.keys()];
    case "release":
      return releasedPackages(statement);
    case "hold":
    case "lift":
    case "endorse":
    case "review":
      return [statement.by];
  }
}

function releasedPackages({ releases }: Release): string[] {
  const ids: string[] = [];
  for (const { packageId } of releases.values()) ids.push(packageId);
  return ids.length === 1 ? ids : [...new Set(ids)].toSorted();
}
