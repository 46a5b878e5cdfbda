/** [L-50] The inbox: statements on their way from signer to signer. It decides nothing, and what is in it counts for nothing: it only carries. */
import {
  addSignature,
  encodeEnvelope,
  encodeHex,
  type Envelope,
  MAX_SIGNATURES,
  packageIdHash,
  parseEnvelope,
  type Statement,
  statementChains,
} from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { LogServerError } from "./error.ts";

export type Inbox = {
  /** Keeps a statement whose signatures were verified, beside the signatures that are there already. Throws `TOO_MANY`. */
  readonly put: (statement: Statement, digest: string, envelope: Uint8Array, now: number) => void;
  /** By the hex of the statement's digest. */
  readonly get: (digest: string, now: number) => Uint8Array | undefined;
  /** Digests of what waits for a subject, by the hex of its id's hash, the oldest first. */
  readonly about: (subjectHash: string, now: number) => string[];
};

/** [L-51] How much there may be, and for how long. */
export const INBOX_LIMITS: Limits = { age: 30 * 86_400, statements: 4096, ofSubject: 64, bytes: 64 * 1024 * 1024 };

/** `age` in seconds, `ofSubject` statements. */
type Limits = {
  readonly age: number;
  readonly statements: number;
  readonly ofSubject: number;
  readonly bytes: number;
};
type Waiting = { envelope: Envelope; bytes: number; since: number; subjects: readonly string[] };

export function createInbox(limits: Limits = INBOX_LIMITS): Inbox {
  // Both in the order in which statements came.
  const waiting = new Map<string, Waiting>();
  const bySubject = new Map<string, Set<string>>();
  let bytes = 0;
  const keep = (digest: string, one: Waiting): void => {
    bytes += one.bytes - (waiting.get(digest)?.bytes ?? 0);
    waiting.set(digest, one);
    for (const subject of one.subjects) bySubject.set(subject, (bySubject.get(subject) ?? new Set()).add(digest));
  };
  const drop = (digest: string): void => {
    const one = waiting.get(digest);
    if (one === undefined) return;
    bytes -= one.bytes;
    waiting.delete(digest);
    for (const subject of one.subjects) {
      const digests = bySubject.get(subject);
      digests?.delete(digest);
      if (digests?.size === 0) bySubject.delete(subject);
    }
  };
  const expire = (now: number): void => {
    for (const [digest, { since }] of waiting) {
      if (now - since < limits.age) break;
      drop(digest);
    }
  };
  /** What nobody has signed gives way to what somebody has: anybody can make the former, without end. */
  const makeRoom = (isFull: () => boolean, digests: () => Iterable<string>, isSigned: boolean): void => {
    while (isFull()) {
      const unsigned = isSigned
        ? first(digests(), (digest) => waiting.get(digest)?.envelope.signatures.length === 0)
        : undefined;
      if (unsigned === undefined) throw full();
      drop(unsigned);
    }
  };
  return {
    put: (statement, digest, envelope, now) => {
      expire(now);
      const before = waiting.get(digest);
      const subjects = before?.subjects ?? statementChains(statement).map(hashOf);
      const more = parseEnvelope(envelope);
      const merged = before === undefined ? more : more.signatures.reduce(addSignature, before.envelope);
      if (merged.signatures.length > MAX_SIGNATURES) throw full();
      const isSigned = merged.signatures.length > 0;
      const size = encodeEnvelope(merged).length;
      const others = (): Iterable<string> => without(waiting.keys(), digest);
      if (before === undefined) {
        for (const subject of subjects) {
          const about = (): ReadonlySet<string> => bySubject.get(subject) ?? new Set();
          makeRoom(() => about().size >= limits.ofSubject, about, isSigned);
        }
        makeRoom(() => waiting.size >= limits.statements, others, isSigned);
      }
      makeRoom(() => bytes - (before?.bytes ?? 0) + size > limits.bytes, others, isSigned);
      keep(digest, { envelope: merged, bytes: size, since: before?.since ?? now, subjects });
    },
    get: (digest, now) => {
      expire(now);
      const found = waiting.get(digest);
      return found && encodeEnvelope(found.envelope);
    },
    about: (subjectHash, now) => {
      expire(now);
      return [...(bySubject.get(subjectHash) ?? [])];
    },
  };
}

function* without(digests: Iterable<string>, one: string): Generator<string> {
  for (const digest of digests) if (digest !== one) yield digest;
}

function first(digests: Iterable<string>, wanted: (digest: string) => boolean): string | undefined {
  for (const digest of digests) if (wanted(digest)) return digest;
  return undefined;
}

function hashOf(subjectId: string): string {
  return encodeHex(packageIdHash(nodeCrypto, subjectId));
}

function full(): LogServerError {
  return new LogServerError("TOO_MANY", "The log's inbox is full.", "Carry the file another way.");
}
