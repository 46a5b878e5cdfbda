/**
 * A witness by C2SP tlog-witness: cosigns a checkpoint only if it extends the last one that it cosigned of that log. Trust assumption: the keys of the logs
 * it was set up with; nothing in a request is believed before their signature and the proof bear it out.
 */
import { createHash } from "node:crypto";
import { equalBytes } from "@touchmark/core";
import {
  type AddCheckpoint,
  type Checkpoint,
  type Cosigner,
  emptyRoot,
  encodeNote,
  encodeSignatureLine,
  LogError,
  type Note,
  type NoteSignature,
  parseAddCheckpoint,
  parseAnyCheckpoint,
  parseNote,
  type VerifierKey,
  verifyConsistency,
  verifyCosignatures,
  verifyNote,
  NOTE_ED25519,
} from "@touchmark/log";
import type { Remembered, WitnessStore } from "./witness-store.ts";

/** Why a witness will not cosign although the checkpoint is consistent. `final`: it never will; else it cannot say yet. */
export type Objection = { readonly final: boolean; readonly message: string };

/** A consistent checkpoint, the log's signature on it verified, and the size that was cosigned before it. */
export type Candidate = { readonly checkpoint: Checkpoint; readonly note: string; readonly oldSize: number };

/** Asked before a checkpoint larger than the last one is cosigned; null lets it through. What it throws counts as "cannot say yet". */
export type Judge = (candidate: Candidate) => Promise<Objection | null>;

export type WitnessOptions = {
  readonly store: WitnessStore;
  /** At least one; every one of them cosigns. */
  readonly cosigners: readonly Cosigner[];
  /** Keys of the logs; a key's name is its log's origin. */
  readonly logs: readonly VerifierKey[];
  /** Seconds since 1970. */
  readonly clock: () => number;
  readonly judge?: Judge;
  /** Told of checkpoints that a log signed and that contradict what was cosigned before, and of failures of the judge. */
  readonly onTrouble?: (message: string, error?: unknown) => void;
};

/** What goes back over HTTP. `type` is the content type. */
export type WitnessAnswer = { readonly status: number; readonly type: string; readonly body: string };

export type Witness = {
  /** Answers the body of add-checkpoint. Never throws for what is in it. */
  readonly addCheckpoint: (body: Uint8Array) => Promise<WitnessAnswer>;
  /** The note of the last checkpoint of the log whose origin has this SHA-256 in hex. */
  readonly lastNote: (originHash: string) => string | undefined;
};

const TEXT = "text/plain; charset=utf-8";
const SIZE = "text/x.tlog.size";
/** Checkpoints of a log that may wait to be judged, and requests for one of them: whoever repeats one checkpoint keeps no other from its turn. */
const MAX_WAITING = 64;
const MAX_SAME = 8;

export function createWitness(options: WitnessOptions): Witness {
  const { store, cosigners, logs, clock, judge, onTrouble = () => undefined } = options;
  const keysOf = Map.groupBy(logs, ({ name }) => name);
  const origins = new Map([...keysOf.keys()].map((origin) => [sha256Hex(origin), origin]));
  const turns = new Map<string, { last: Promise<unknown>; readonly waiting: Map<string, number> }>();

  /** One request of a log after another: what is compared must still hold when the new size is stored. */
  const inTurn = async (origin: string, text: string, work: () => Promise<WitnessAnswer>): Promise<WitnessAnswer> => {
    const turn = turns.get(origin) ?? { last: Promise.resolve(), waiting: new Map<string, number>() };
    const { waiting } = turn;
    const same = waiting.get(text) ?? 0;
    if (same >= MAX_SAME || (same === 0 && waiting.size >= MAX_WAITING))
      return answer(503, "Too much is asked about this log at once.");
    turns.set(origin, turn);
    waiting.set(text, same + 1);
    const mine = turn.last.then(work).finally(() => {
      const left = waiting.get(text)! - 1;
      if (left > 0) waiting.set(text, left);
      else waiting.delete(text);
    });
    turn.last = mine.catch(() => undefined);
    return mine;
  };

  /** The answer to what doesn't follow from the last checkpoint; null if it does. */
  const refuse = (request: AddCheckpoint, checkpoint: Checkpoint): WitnessAnswer | null => {
    const { oldSize } = request;
    const { origin, size } = checkpoint;
    const last = store.last(origin);
    if (oldSize !== (last?.size ?? 0)) return { status: 409, type: SIZE, body: `${last?.size ?? 0}\n` };
    const wrong = checkGrowth(request, checkpoint, last);
    if (wrong === null) return null;
    onTrouble(`${origin} signed a tree of ${size} leaves that does not follow from the one of ${oldSize}: ${wrong}`);
    return answer(422, wrong);
  };

  /** The lines that this checkpoint has got in this very second, if it has: what anybody repeats costs no writing to the disk. */
  const linesOfNow = (origin: string, text: string): string | undefined => {
    const last = store.last(origin);
    if (last === undefined || !last.note.startsWith(`${text}\n`)) return undefined;
    const { signatures } = parseNote(Buffer.from(last.note, "utf8"));
    const own = cosigners.map(({ key }) =>
      signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId),
    );
    const now = BigInt(Math.floor(clock()));
    const lines = own.filter((line) => line !== undefined && Buffer.from(line.signature).readBigUInt64BE() === now);
    return lines.length === cosigners.length ? lines.map((line) => encodeSignatureLine(line!)).join("") : undefined;
  };

  const cosign = async (request: AddCheckpoint, note: Note, checkpoint: Checkpoint): Promise<WitnessAnswer> => {
    const refused = refuse(request, checkpoint);
    if (refused !== null) return refused;
    const { oldSize } = request;
    const { origin, size } = checkpoint;
    const objection = size > oldSize ? await askJudge(judge, { checkpoint, note: request.note, oldSize }) : null;
    if (objection !== null) {
      onTrouble(`${origin}, ${size} leaves: ${objection.message}`, objection.error);
      return answer(objection.final ? 422 : 503, objection.message);
    }
    const time = Math.floor(clock());
    const lines = cosigners.map((cosigner) => cosigner.cosign(note.text, time));
    const kept = encodeNote({ text: note.text, signatures: [...logSignatures(note, keysOf.get(origin)!), ...lines] });
    store.keep(origin, { size, root: checkpoint.root, note: kept });
    return { status: 200, type: TEXT, body: lines.map(encodeSignatureLine).join("") };
  };

  return {
    addCheckpoint: async (body) => {
      let request: ReturnType<typeof parseAddCheckpoint>;
      let checkpoint: Checkpoint;
      try {
        request = parseAddCheckpoint(body);
        checkpoint = parseAnyCheckpoint(request.parsed.text);
      } catch (error) {
        if (!(error instanceof LogError)) throw error;
        return answer(400, error.message);
      }
      const keys = keysOf.get(checkpoint.origin);
      if (keys === undefined) return answer(404, "This witness does not know the log.");
      if (!isSignedBy(request.parsed, keys))
        return answer(403, "The checkpoint is not signed by a known key of the log.");
      if (request.oldSize > checkpoint.size) return answer(400, "The old size is larger than the checkpoint's.");
      //
      const refused = refuse(request, checkpoint);
      if (refused !== null) return refused;
      const { parsed } = request;
      const lines = request.oldSize === checkpoint.size ? linesOfNow(checkpoint.origin, parsed.text) : undefined;
      if (lines !== undefined) return { status: 200, type: TEXT, body: lines };
      return inTurn(checkpoint.origin, parsed.text, () => cosign(request, parsed, checkpoint));
    },
    lastNote: (originHash) => {
      const origin = origins.get(originHash);
      return origin === undefined ? undefined : store.last(origin)?.note;
    },
  };
}

/** What is wrong with the step from the last checkpoint to this one, in words; null if nothing is. */
function checkGrowth(request: AddCheckpoint, { size, root }: Checkpoint, last: Remembered | undefined): string | null {
  const { oldSize, proof } = request;
  if (size === 0 && !equalBytes(root, emptyRoot())) return "The root of an empty tree is another one.";
  if (oldSize === 0) return proof.length === 0 ? null : "A proof from the empty tree is empty.";
  try {
    verifyConsistency(oldSize, size, proof, last!.root, root);
    return null;
  } catch (error) {
    if (error instanceof LogError) return error.message;
    throw error;
  }
}

async function askJudge(
  judge: Judge | undefined,
  candidate: Candidate,
): Promise<(Objection & { error?: unknown }) | null> {
  try {
    return judge === undefined ? null : await judge(candidate);
  } catch (error) {
    return { final: false, message: "The checkpoint could not be judged.", error };
  }
}

/** Every line by a known key is good, and there is one. A key of another type than notes are signed with signs as a cosigner does. */
function isSignedBy(note: Note, keys: readonly VerifierKey[]): boolean {
  const [plain, cosigning] = [keys.filter(isNoteKey), keys.filter((key) => !isNoteKey(key))];
  try {
    const { cosignatures } = verifyCosignatures(note, cosigning);
    return (plain.length > 0 && signedPlainly(note, plain)) || cosignatures.length > 0;
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}

function signedPlainly(note: Note, keys: readonly VerifierKey[]): boolean {
  try {
    return verifyNote(note, keys).length > 0;
  } catch (error) {
    if (error instanceof LogError && error.code === "UNSIGNED") return false;
    throw error;
  }
}

function logSignatures(note: Note, keys: readonly VerifierKey[]): NoteSignature[] {
  return note.signatures.filter((line) => keys.some(({ name, keyId }) => name === line.name && keyId === line.keyId));
}

function isNoteKey({ type }: VerifierKey): boolean {
  return type === NOTE_ED25519;
}

function answer(status: number, message: string): WitnessAnswer {
  return { status, type: TEXT, body: `${message}\n` };
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
