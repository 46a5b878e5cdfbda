/** [L-50] The inbox: statements on their way from signer to signer. It decides nothing, and what is in it counts for nothing: it only carries. */
import {
  addSignature,
  encodeEnvelope,
  encodeHex,
  type Envelope,
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
  const waiting = new Map<string, Waiting>();
  let bytes = 0;
  const drop = (digest: string): void => {
    bytes -= waiting.get(digest)?.bytes ?? 0;
    waiting.delete(digest);
  };
  const expire = (now: number): void => {
    for (const [digest, { since }] of waiting) if (now - since >= limits.age) drop(digest);
  };
  return {
    put: (statement, digest, envelope, now) => {
      expire(now);
      const before = waiting.get(digest);
      const subjects = statementChains(statement).map(hashOf);
      const more = parseEnvelope(envelope);
      const merged = before === undefined ? more : more.signatures.reduce(addSignature, before.envelope);
      const size = encodeEnvelope(merged).length;
      if (before === undefined) {
        const crowded = subjects.some((subject) => countAbout(waiting, subject) >= limits.ofSubject);
        if (crowded || waiting.size >= limits.statements) throw full();
      }
      if (bytes - (before?.bytes ?? 0) + size > limits.bytes) throw full();
      drop(digest);
      bytes += size;
      waiting.set(digest, { envelope: merged, bytes: size, since: before?.since ?? now, subjects });
    },
    get: (digest, now) => {
      expire(now);
      const found = waiting.get(digest);
      return found && encodeEnvelope(found.envelope);
    },
    about: (subjectHash, now) => {
      expire(now);
      return [...waiting].filter(([, { subjects }]) => subjects.includes(subjectHash)).map(([digest]) => digest);
    },
  };
}

function countAbout(waiting: ReadonlyMap<string, Waiting>, subject: string): number {
  let count = 0;
  for (const { subjects } of waiting.values()) if (subjects.includes(subject)) count++;
  return count;
}

function hashOf(subjectId: string): string {
  return encodeHex(packageIdHash(nodeCrypto, subjectId));
}

function full(): LogServerError {
  return new LogServerError("TOO_MANY", "The log's inbox is full.", "Carry the file another way.");
}
