/** The paths of [L-19] and what they answer. */
import type { IncomingMessage } from "node:http";
import {
  checkLog,
  concernedKeys,
  concernedSubjects,
  CoreError,
  encodeUtf8,
  packageIdHash,
  type PackageState,
  parseHex,
  type SignedStatement,
  type Statement,
  statementChains,
} from "@touchmark/core";
import { nodeCrypto, parseTilePath, TILE_WIDTH } from "@touchmark/log";
import { type Answer, FOREVER, NEVER, RECHECK } from "./answers.ts";
import { type BodyBudget, readBody } from "./body.ts";
import { type ProofChecker, publishedProofs, requireKnownClaims, requireProofs } from "./claim-proofs.ts";
import { LogServerError } from "./error.ts";
import { buildEvidence } from "./evidence.ts";
import type { Inbox } from "./inbox.ts";
import type { PackageStates } from "./stored-states.ts";
import { MAX_BODY_BYTES, parseEvidencePath, parseEvidenceRequest, parseSubmitRequest } from "./requests.ts";
import type { Receipt, Sequencer } from "./sequencer.ts";
import { openEnvelope } from "./signatures/open-envelope.ts";
import type { StoreReads } from "./store-reads.ts";

export type Service = {
  readonly store: StoreReads;
  /** Whether the log can append, or a reader is up to date. */
  readonly ready: () => boolean;
  readonly states: PackageStates;
  /** None where this process only reads. */
  readonly sequencer: Sequencer | undefined;
  /** Takes one request of whoever sent this; `false` if there were too many. */
  readonly admit: (request: IncomingMessage) => boolean;
  /** Counts this request as so many more. */
  readonly charge: (request: IncomingMessage, more: number) => void;
  readonly metrics: () => string;
  readonly inbox: Inbox;
  /** Bytes of request bodies, and bundles of evidence in the making, that there may still be at one time. */
  readonly budget: BodyBudget;
  readonly bundles: { left: number };
  /** Where proofs of first claims are looked up; statements with such a proof are refused without it [L-40]. */
  readonly proofs: ProofChecker | undefined;
  /** Seconds since 1970. */
  readonly clock: () => number;
};

const BYTES = "application/octet-stream";
const TEXT = "text/plain; charset=utf-8";
const METRICS = "text/plain; version=0.0.4; charset=utf-8";
const JSON_TYPE = "application/json";

/** Throws a `CoreError` or `LogServerError` for whatever is refused. */
export async function answerRequest(service: Service, request: IncomingMessage): Promise<Answer> {
  const { method = "", url = "" } = request;
  const path = url.slice(1);
  if (path === "submit" || path === "evidence" || path === "inbox") {
    if (method !== "POST") throw new LogServerError("METHOD", "This is asked for by POST.");
    requireAdmitted(service, request);
    return answerPost(service, path, request, await readBody(request, MAX_BODY_BYTES, service.budget));
  }
  if (method !== "GET" && method !== "HEAD") throw new LogServerError("METHOD", "This is asked for by GET.");
  if (path.startsWith("evidence/")) {
    requireAdmitted(service, request);
    return answerEvidence(service, request, parseEvidencePath(path.slice("evidence/".length)));
  }
  const answer = await answerGet(service, path);
  if (answer === undefined) throw new LogServerError("UNKNOWN", "The log has nothing under this name.");
  return answer;
}

/** [L-34] */
function requireAdmitted(service: Service, request: IncomingMessage): void {
  if (service.admit(request)) return;
  throw new LogServerError("TOO_MANY", "Too much comes from this address.", "Send it again in a minute.");
}

/** What was sent is in memory until it is answered, and counts so long [L-34]. */
async function answerPost(
  service: Service,
  path: "submit" | "evidence" | "inbox",
  request: IncomingMessage,
  body: Uint8Array,
): Promise<Answer> {
  const { budget } = service;
  budget.left -= body.length;
  try {
    if (path === "inbox") return await answerInbox(service, body);
    return path === "submit"
      ? await answerSubmit(service, request, body)
      : await answerEvidence(service, request, parseEvidenceRequest(body));
  } finally {
    budget.left += body.length;
  }
}

async function answerGet(service: Service, path: string): Promise<Answer | undefined> {
  const { store, ready, metrics } = service;
  if (path === "checkpoint") return { status: 200, type: TEXT, cache: RECHECK, body: store.checkpoint().note };
  if (path === "healthz") return health(ready());
  if (path === "metrics") return { status: 200, type: METRICS, cache: NEVER, body: metrics() };
  if (path.startsWith("tile/")) return answerTile(store, path);
  if (path.startsWith("inbox/")) return readInbox(service, path.slice("inbox/".length));
  const [, kind, hash] = /^(envelope|earlier)\/([0-9a-f]{64})$/.exec(path) ?? [];
  if (kind === undefined || hash === undefined) return undefined;
  const [type, body] =
    kind === "envelope"
      ? [JSON_TYPE, await store.envelope(parseHex(hash))]
      : [TEXT, await store.earlier(parseHex(hash))];
  return body === undefined ? undefined : { status: 200, type, cache: FOREVER, body };
}

async function answerTile(store: StoreReads, path: string): Promise<Answer | undefined> {
  const tile = parseTilePath(path);
  const body = tile && (await store.tile(tile));
  if (body === undefined) return undefined;
  // A partial tile never changes either, but nobody needs it once its full one is there.
  return { status: 200, type: BYTES, cache: tile?.width === TILE_WIDTH ? FOREVER : "public, max-age=3600", body };
}

function health(ready: boolean): Answer {
  return { status: ready ? 200 : 503, type: TEXT, cache: NEVER, body: ready ? "ok\n" : "cannot append\n" };
}

/** [L-20] What is known already is answered before a signature is checked [L-15]. */
async function answerSubmit(service: Service, request: IncomingMessage, body: Uint8Array): Promise<Answer> {
  const { sequencer } = service;
  if (sequencer === undefined) throw readsOnly();
  const { envelope: text, earlier } = parseSubmitRequest(body);
  const { signed, verify } = openEnvelope(text);
  const known = await sequencer.receiptOf(signed);
  if (known !== undefined) return receiptAnswer(known);
  service.charge(request, entriesWorth(signed.statement, body.length) - 1);
  await verify();
  await lookUpProofs(service, signed.statement);
  const envelope = encodeUtf8(text);
  const envelopeHash = nodeCrypto.sha256(envelope);
  return receiptAnswer(await sequencer.submit({ signed, envelope, envelopeHash, earlier }));
}

const ENTRY_WORTH_BYTES = 4096;
const LOOKUP_WORTH = 10;
/** [L-40] Seconds that a claim's entry may be later than the look at its proofs. */
const LOOKUP_LEEWAY = 600;
const QUESTION_WORTH_BYTES = 1024 * 1024;

/** [L-34] As how many submissions a statement counts. What it makes is there for good, and everybody who checks its packages has to have it. */
function entriesWorth(statement: Statement, bytes: number): number {
  const entries = Math.max(statementChains(statement).length, Math.ceil(bytes / ENTRY_WORTH_BYTES));
  return entries + LOOKUP_WORTH * lookups(statement);
}

/** Proofs that have to be looked up in a registry [L-40]. */
function lookups(statement: Statement): number {
  if (statement.kind === "proof") return [...statement.proofs.values()].filter(({ letter }) => letter === "a").length;
  return statement.kind === "claim" ? [...statement.packages.values()].filter(({ proof }) => proof !== null).length : 0;
}

/** [L-50] */
async function answerInbox(service: Service, body: Uint8Array): Promise<Answer> {
  const { store, inbox, clock, sequencer } = service;
  if (sequencer === undefined) throw readsOnly();
  const { envelope } = parseSubmitRequest(body);
  const { signed, verify } = openEnvelope(envelope);
  const { statement, digest } = signed;
  checkLog(statement, store.checkpoint().origin);
  if (statement.kind === "claim")
    throw new LogServerError("MALFORMED", "Claims are not carried here.", "Send the file to those who sign it.");
  const unclaimed = statementChains(statement).find((id) => !store.head(packageIdHash(nodeCrypto, id)));
  if (unclaimed !== undefined)
    throw new LogServerError("UNKNOWN", `Nobody has claimed ${unclaimed}.`, "Claim it: touchmark claim");
  await verify();
  await requireConcerned(service, signed);
  inbox.put(statement, digest, encodeUtf8(envelope), clock());
  return { status: 200, type: JSON_TYPE, cache: NEVER, body: `${JSON.stringify({ statement: digest })}\n` };
}

/** [L-50] Throws `WRONG_KEY` for a signature that whoever submits the statement would have to take off again [S-4]. */
async function requireConcerned(service: Service, { statement, signers }: SignedStatement): Promise<void> {
  const states = new Map<string, PackageState>();
  const stateOf = (id: string): PackageState | undefined => states.get(id);
  // The second time also those whom the first ones name.
  for (let i = 0; i < 2; i++) {
    const unknown = concernedSubjects(statement, stateOf).filter((id) => !states.has(id));
    for (const [id, state] of await statesNow(service, unknown)) states.set(id, state);
  }
  const concerned = concernedKeys(statement, stateOf);
  const foreign = signers === "vouched" ? undefined : signers.find(({ fingerprint }) => !concerned.has(fingerprint));
  if (foreign === undefined) return;
  throw new CoreError("WRONG_KEY", "L-50", `The key ${foreign.fingerprint} has no say in this statement.`);
}

function statesNow({ store, states }: Service, ids: readonly string[]): ReturnType<PackageStates> {
  const lastOf = (id: string): number | null => store.head(packageIdHash(nodeCrypto, id))?.lastAuthority ?? null;
  return states(ids.map((packageId) => ({ packageId, last: lastOf(packageId) })));
}

/** [L-50] */
function readInbox({ inbox, clock }: Service, name: string): Answer | undefined {
  const [, about, hash] = /^(about\/)?([0-9a-f]{64})$/.exec(name) ?? [];
  if (hash === undefined) return undefined;
  if (about !== undefined) {
    const lines = inbox.about(hash, clock()).map((digest) => `${digest}\n`);
    return { status: 200, type: TEXT, cache: NEVER, body: lines.join("") };
  }
  const body = inbox.get(hash, clock());
  return body && { status: 200, type: JSON_TYPE, cache: NEVER, body };
}

async function lookUpProofs(service: Service, statement: Statement): Promise<void> {
  const { proofs, clock } = service;
  if (statement.kind !== "claim" && statement.kind !== "proof") return;
  const claimed = statement.kind === "proof" ? statementChains(statement) : []; // a claim's own proof is about no earlier one
  const before = await statesNow(service, claimed);
  const begun = clock();
  const found = publishedProofs(statement, (packageId) => before.get(packageId), begun + LOOKUP_LEEWAY);
  requireKnownClaims(statement, found);
  await requireProofs(found, proofs);
  if (clock() - begun > LOOKUP_LEEWAY / 2) throw tookTooLong();
}

function tookTooLong(): LogServerError {
  return new LogServerError("PROOF_UNCHECKED", "The registry took too long.", "Send it again, or name fewer packages.");
}

/** [L-21] [L-53] */
async function answerEvidence(
  service: Service,
  request: IncomingMessage,
  packages: ReturnType<typeof parseEvidenceRequest>,
): Promise<Answer> {
  if (service.bundles.left === 0) {
    throw new LogServerError("TOO_MANY", "Too many ask for evidence at once.", "Ask again in a minute.");
  }
  service.bundles.left--;
  try {
    const bundle = await buildEvidence(service.store, service.states, packages);
    service.charge(request, Math.floor(bundle.length / QUESTION_WORTH_BYTES));
    return { status: 200, type: JSON_TYPE, cache: NEVER, body: bundle };
  } finally {
    service.bundles.left++;
  }
}

function readsOnly(): LogServerError {
  return new LogServerError("STOPPED", "This server only reads the log.", "Send it to the log's writer.");
}

function receiptAnswer({ entries, note }: Receipt): Answer {
  const body = `${JSON.stringify({ entries: Object.fromEntries(entries), checkpoint: note })}\n`;
  return { status: 200, type: JSON_TYPE, cache: NEVER, body };
}

/** The route of a path, for counting: few, whatever is asked for. */
export function routeOf(path: string): string {
  const [, first = ""] = /^\/([a-z]+)(?:\/|$)/.exec(path) ?? [];
  return ROUTES.has(first) ? first : "other";
}

const ROUTES = new Set(["checkpoint", "earlier", "envelope", "evidence", "healthz", "metrics", "submit", "tile"]);
