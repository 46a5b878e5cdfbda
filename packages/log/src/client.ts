/**
 * Reading a log over the network. Trust assumptions: the log's key from the policy; nothing that the network says is believed before a signature
 * or a hash bears it out. Nothing is kept between calls.
 */
import { encodeHex, encodeUtf8, equalBytes, MAX_ENVELOPE_BYTES, parseUtf8 } from "@touchmark/core";
import { hexOf } from "./bytes.ts";
import { type SignedCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { DIGEST_BYTES, digestToBytes } from "./digest.ts";
import { LogError } from "./error.ts";
import { MAX_EVIDENCE_BYTES } from "./evidence.ts";
import { type Exchange, type Fetch, fetchBytes } from "./http.ts";
import { consistencyRanges, leafHash, rootOfLeaves, verifyConsistency } from "./merkle.ts";
import { MAX_NOTE_BYTES, type VerifierKey } from "./note.ts";
import { sha256 } from "./node-crypto.ts";
import { type Tile, TILE_WIDTH, tilePath } from "./tile.ts";
import { fetchRangeDigests } from "./tile-reader.ts";

/** A log: its address from the policy, its key, and the way to the network. `timeout` in milliseconds a request, 30 s if left out. */
export type LogEndpoint = {
  readonly url: string;
  readonly key: VerifierKey;
  readonly fetch: Fetch;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
};

/** Version and lower-case hex SHA-512 of each version published before a claim, in the order of the list [S-15]. */
export type EarlierList = readonly (readonly [version: string, sha512: string])[];

export type Submission = {
  readonly envelope: Uint8Array;
  /** For a claim: the earlier versions of each package. */
  readonly earlier?: Readonly<Record<string, EarlierList>>;
};

/** The index of each package's entry, all of them below the size of the checkpoint. */
export type SubmitAnswer = { readonly entries: ReadonlyMap<string, number>; readonly checkpoint: SignedCheckpoint };

const MAX_EARLIER_BYTES = 20_000 * (256 + 1 + 128 + 1);
const MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + 0xffff);
const MAX_SUBMIT_ANSWER_BYTES = MAX_NOTE_BYTES + 256 * 1024;
const DEFAULT_TIMEOUT = 30_000;

/** The log's newest checkpoint, its signature verified. Throws what {@link verifyCheckpoint} and the network throw. */
export async function fetchCheckpoint(log: LogEndpoint): Promise<SignedCheckpoint> {
  return verifyCheckpoint(await get(log, "checkpoint", MAX_NOTE_BYTES), log.key);
}

/** A tile's bytes as the log serves them, **not verified**; instead of a partial tile that is gone the full one is asked for and cut. */
export async function fetchTile(log: LogEndpoint, tile: Tile): Promise<Uint8Array> {
  const limit = tile.level === "entries" ? MAX_BUNDLE_BYTES : TILE_WIDTH * DIGEST_BYTES;
  try {
    return await get(log, tilePath(tile), limit);
  } catch (error) {
    const gone = error instanceof LogError && error.code === "NOT_FOUND";
    if (!gone || tile.level === "entries" || tile.width === TILE_WIDTH) throw error;
    const full = await get(log, tilePath({ ...tile, width: TILE_WIDTH }), limit);
    return full.slice(0, tile.width * DIGEST_BYTES);
  }
}

/** An envelope's bytes, which have the SHA-256 that was asked for. Throws `WRONG_HASH` and what the network throws. */
export async function fetchEnvelope(log: LogEndpoint, envelopeHash: Uint8Array): Promise<Uint8Array> {
  const bytes = await get(log, `envelope/${hexOf(envelopeHash, 0, envelopeHash.length)}`, MAX_ENVELOPE_BYTES);
  if (!equalBytes(sha256(bytes), envelopeHash)) {
    throw new LogError("WRONG_HASH", "The log gave another envelope than the one that was asked for.");
  }
  return bytes;
}

/** The list of earlier versions with this root [S-15]. Throws `WRONG_HASH` and what the network throws. */
export async function fetchEarlier(log: LogEndpoint, root: Uint8Array): Promise<EarlierList> {
  const bytes = await get(log, `earlier/${encodeHex(root)}`, MAX_EARLIER_BYTES);
  const lines = parseUtf8(bytes).split("\n");
  const whole = lines.pop() === "" && equalBytes(rootOfLeaves(lines.map((line) => leafHash(encodeUtf8(line)))), root);
  if (!whole)
    throw new LogError("WRONG_HASH", "The log gave another list of versions than the one that was asked for.");
  return lines.map((line) => {
    const [version, sha512] = line.split(" ");
    return [version ?? "", sha512 ?? ""];
  });
}

/** A bundle of evidence for these versions of these packages, **not verified** [L-21]. */
export function fetchEvidence(
  log: LogEndpoint,
  packages: Readonly<Record<string, readonly string[]>>,
): Promise<Uint8Array> {
  return post(log, "evidence", { packages }, MAX_EVIDENCE_BYTES);
}

/** A statement that waits in the log's inbox for signatures, by the hex of its digest; **not verified**. Throws `NOT_FOUND` and what the network throws. */
export function fetchInbox(log: LogEndpoint, digest: string): Promise<Uint8Array> {
  return get(log, `inbox/${digest}`, MAX_ENVELOPE_BYTES);
}

/** Puts a statement into the log's inbox; what signatures are there already are kept. Throws `REFUSED`. */
export async function postInbox(log: LogEndpoint, envelope: Uint8Array): Promise<void> {
  await post(log, "inbox", { envelope: parseUtf8(envelope) }, MAX_SUBMIT_ANSWER_BYTES);
}

/** The digests of the statements about a package that wait in the log's inbox. */
export async function listInbox(log: LogEndpoint, subjectHash: Uint8Array): Promise<string[]> {
  const text = parseUtf8(await get(log, `inbox/about/${encodeHex(subjectHash)}`, MAX_ENVELOPE_BYTES));
  const digests = text.split("\n").filter((line) => line !== "");
  if (digests.every((digest) => /^[0-9a-f]{64}$/.test(digest))) return digests;
  throw new LogError("BAD_ANSWER", "The log's list of what waits in its inbox is malformed.");
}

/** Hands a statement in [L-20]. Throws `REFUSED`, with the log's reason, if the log will not have it. */
export async function submitEnvelope(log: LogEndpoint, submission: Submission): Promise<SubmitAnswer> {
  const { earlier } = submission;
  const envelope = parseUtf8(submission.envelope);
  const body = earlier === undefined ? { envelope } : { envelope, earlier };
  const answer = parseAnswer(await post(log, "submit", body, MAX_SUBMIT_ANSWER_BYTES));
  const checkpoint = verifyCheckpoint(answer.checkpoint, log.key);
  const entries = new Map(Object.entries(answer.entries));
  for (const index of entries.values()) {
    if (!Number.isSafeInteger(index) || index < 0 || index >= checkpoint.size) throw strange();
  }
  return { entries, checkpoint };
}

/**
 * Shows through the log's tiles that the tree of `newer` begins with that of `older`; both were verified by the log's key. Throws `ROLLBACK`
 * if `newer` is smaller, `FORK` with both notes if the log signed two histories, `BAD_TILE` if the tiles do not belong to `newer`.
 */
export async function fetchConsistency(
  log: LogEndpoint,
  older: SignedCheckpoint,
  newer: SignedCheckpoint,
): Promise<void> {
  if (older.origin !== newer.origin) throw new LogError("WRONG_ORIGIN", "The two checkpoints are of different logs.");
  const notes = { older: older.note, newer: newer.note };
  if (newer.size < older.size) {
    throw new LogError("ROLLBACK", "The log shows an older checkpoint than one seen before.", { notes });
  }
  if (older.size === 0) return;
  const prefix = older.size === newer.size ? undefined : await fetchPrefix(log, older.size, newer);
  const root = prefix?.root ?? newer.root;
  if (!equalBytes(root, older.root)) {
    throw new LogError("FORK", "The log signed two checkpoints that contradict each other.", {
      hint: "Keep both notes: they prove it to anybody.",
      notes: prefix ? { ...notes, prefix } : notes,
    });
  }
}

/** The root of the first `size` leaves of the tree of `checkpoint`, which has more, and the proof of it. */
async function fetchPrefix(
  log: LogEndpoint,
  size: number,
  checkpoint: SignedCheckpoint,
): Promise<{ root: Uint8Array; proof: Uint8Array[] }> {
  const ranges = [{ start: 0, end: size }, ...consistencyRanges(size, checkpoint.size)];
  const digests = await fetchRangeDigests(checkpoint.size, ranges, (tile) => fetchTile(log, tile));
  const [root, ...proof] = digests.map(digestToBytes);
  try {
    verifyConsistency(size, checkpoint.size, proof, root!, checkpoint.root);
  } catch (cause) {
    throw new LogError("BAD_TILE", "The log's tiles do not belong to its checkpoint.", { cause });
  }
  return { root: root!, proof };
}

function get(log: LogEndpoint, path: string, limit: number): Promise<Uint8Array> {
  return fetchBytes(log.fetch, exchangeOf(log, path, limit));
}

function post(log: LogEndpoint, path: string, body: unknown, limit: number): Promise<Uint8Array> {
  return fetchBytes(log.fetch, { ...exchangeOf(log, path, limit), body: JSON.stringify(body) });
}

/** [P-2] */
function exchangeOf(log: LogEndpoint, path: string, limit: number): Exchange {
  if (checked?.typed !== log.url) checked = { typed: log.url, base: checkAddress(log.url) };
  return {
    url: `${checked.base}${path}`,
    limit,
    timeout: log.timeout ?? DEFAULT_TIMEOUT,
    signal: log.signal,
  };
}

// Whoever reads a whole log asks for a million files of one address.
let checked: { typed: string; base: string } | undefined;

function checkAddress(typed: string): string {
  const base = URL.parse(typed);
  const local = base?.protocol === "http:" && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(base.hostname);
  if (base === null || !(base.protocol === "https:" || local) || !base.pathname.endsWith("/") || base.search !== "") {
    throw new LogError("BAD_ARGUMENT", "The log's address is no https address that ends in a slash.");
  }
  base.hash = "";
  return base.href;
}

function parseAnswer(bytes: Uint8Array): { entries: Record<string, number>; checkpoint: string } {
  let answer: unknown;
  try {
    answer = JSON.parse(parseUtf8(bytes));
  } catch {
    throw strange();
  }
  if (typeof answer !== "object" || answer === null || !("entries" in answer) || !("checkpoint" in answer))
    throw strange();
  const { entries, checkpoint } = answer;
  if (typeof entries !== "object" || entries === null || typeof checkpoint !== "string") throw strange();
  return { entries: entries as Record<string, number>, checkpoint };
}

function strange(): LogError {
  return new LogError("BAD_ANSWER", "The log's answer to a submission is malformed.");
}
