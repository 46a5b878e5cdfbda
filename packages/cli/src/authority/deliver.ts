// The one way of every statement: its payload is written to FILE.touchmark and shown; people sign it, each at their own machine or here and
// now; anybody hands it in.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type Authority,
  encodeEnvelope,
  type JsonObject,
  MAX_ENVELOPE_BYTES,
  type PackageState,
  type Statement,
  statementChains,
} from "@touchmark/core";
import { type Context, usageError, type Values } from "../command.ts";
import { CliError } from "../error.ts";
import { type Exit, EXIT } from "../failure.ts";
import { touchmarkHome } from "../files/home.ts";
import { readIfThere } from "../files/read-file.ts";
import { writeWhole } from "../files/write-file.ts";
import { readKeys } from "../keys/key-store.ts";
import { submitFile } from "../log/submit-file.ts";
import { addOwnSignature, SIGNING_FLAGS } from "../statements/add-signature.ts";
import { describeStatement, labelOf, statedAuthority } from "../statements/describe.ts";
import { openStatement, type StatementFile, unsignedStatement } from "../statements/statement-file.ts";
import { countVotes, describeVotes, isEnough, type StateView, type Votes } from "./missing-signatures.ts";

const { key: _key, ...HERE } = SIGNING_FLAGS;

const OWN_FLAGS = {
  out: { value: "FILE", help: "the statement; its name ends in .touchmark" },
  sign: { help: "sign it here and now, with a key that is enrolled here" },
  submit: { help: "and hand it to the log, once enough have signed" },
  registry: { value: "NAME", help: "the registry, where the policy names several" },
} as const;

/** What every command that makes a statement is asked. */
export const STATEMENT_FLAGS: typeof OWN_FLAGS & Omit<typeof SIGNING_FLAGS, "key"> = { ...OWN_FLAGS, ...HERE };

export type StatementWish = Values<typeof STATEMENT_FLAGS>;

export interface Delivery {
  /** What the command is called, for what is wrong with its flags. */
  command: string;
  payload: Uint8Array;
  view: StateView;
  /** The file's name where `--out` is left out: `widget.change`. */
  name: string;
  /** Written beside it: a claim's list of earlier versions. */
  earlier?: Uint8Array;
  /** What the command has to say beside. */
  document?: JsonObject;
  lines?: string[];
  /** Sign and submit unless `--out` asks for the file alone: for what one person may say alone. */
  atOnce?: boolean;
  /** A change by recovery keys. */
  recovering?: boolean;
  /** The key that is to sign, where it has to be a certain one. */
  key?: string;
}

/** Writes a statement, signs it and submits it as far as that was asked for, and prints what is missing. The exit code. */
export async function deliver(delivery: Delivery, wish: StatementWish, context: Context): Promise<Exit> {
  const { io, ui } = context;
  const { view, command, document = {}, lines = [], recovering = false } = delivery;
  const file = wish.out ?? `${delivery.name}.touchmark`;
  if (!file.endsWith(".touchmark")) throw usageError(command, "--out does not end in .touchmark.");
  const alone = delivery.atOnce === true && wish.out === undefined;
  const signs = wish.sign || wish.holder !== undefined || alone;
  const fresh = unsignedStatement(delivery.payload);
  let found = alone ? fresh : begin(fresh, resolve(io.cwd, file), file);
  if (delivery.earlier) await writeWhole(resolve(io.cwd, `${file}.earlier`), delivery.earlier);
  await writeWhole(resolve(io.cwd, file), encodeEnvelope(found.envelope));
  if (signs) found = await signHere(found, file, delivery, wish, context);
  const votes = countVotes(found.statement, found.signers, view, recovering);
  const enough = isEnough(votes);
  const said = {
    ...document,
    kind: found.statement.kind,
    file,
    statement: `sha256:${found.digest}`,
    signers: found.signers,
    votes: votes.map(votesJson),
    complete: enough,
  };
  const shown = [
    ...(signs ? [] : describeStatement(found.statement, found.digest, signerLabels(found, view, context))),
    ...(signs ? [] : [""]),
    ...lines,
    delivery.earlier ? `Wrote ${file} and ${file}.earlier.` : `Wrote ${file}.`,
    ...votes.map((vote) => `Signed by ${describeVotes(vote)}.`),
  ];
  if (!enough || !(wish.submit || alone)) {
    const next = enough ? `touchmark submit ${file}` : `each of them signs it, with: touchmark sign ${file}`;
    ui.result({ ok: true, ...said, submitted: null }, [...shown, `Next: ${next}`]);
    return EXIT.ok;
  }
  const { exit, document: submitted, lines: logged } = await submitFile(file, view.policy, 30, context);
  // What one person has said alone is in the log now, or in the outbox: nobody needs the file.
  if (alone) await rm(resolve(io.cwd, file));
  const kept = alone ? [...lines] : shown;
  ui.result({ ok: exit === EXIT.ok, ...said, file: alone ? null : file, submitted }, [...kept, ...logged]);
  return exit;
}

/** Votes as they stand in a JSON document. */
export function votesJson(votes: Votes): JsonObject {
  return { ...votes };
}

// What is there already and says the same is gone on with: its signatures are kept.
function begin(fresh: StatementFile, path: string, file: string): StatementFile {
  if (!existsSync(path)) return fresh;
  const there = openStatement(readIfThere(path, MAX_ENVELOPE_BYTES)!);
  if (there.digest === fresh.digest) return there;
  throw new CliError(
    "OTHER_STATEMENT",
    `${file} is there already, and says something else.`,
    "Move it away, or name another file with --out.",
  );
}

async function signHere(
  found: StatementFile,
  file: string,
  { view, key, recovering = false }: Delivery,
  wish: StatementWish,
  context: Context,
): Promise<StatementFile> {
  let signed = found;
  for (;;) {
    const votes = countVotes(signed.statement, signed.signers, view, recovering);
    const listed = new Set(key === undefined ? [...votes.flatMap(({ keys }) => keys), ...signed.signers] : [key]);
    const [id = ""] = statementChains(signed.statement);
    const authority = speaking(signed.statement, view.state(id))?.authority ?? null;
    const result = await addOwnSignature(signed, { file, listed, authority }, { ...wish, key }, context);
    signed = result.found;
    if (result.added === null || key !== undefined || wish.device !== undefined) return signed;
    // The holder's new keys prove themselves by a signature each, [S-16].
    const missing = countVotes(signed.statement, signed.signers, view, recovering).filter(({ as }) => as === "keys");
    const own = readKeys(touchmarkHome(context.io)).filter(({ holder }) => holder === result.added?.holder);
    if (!missing.some(({ keys }) => keys.some((next) => own.some(({ fingerprint }) => fingerprint === next))))
      return signed;
  }
}

/** Whose labels and demands hold for a statement about a package in this state. */
function speaking(statement: Statement, state: PackageState): { authority: Authority } | null {
  return statement.kind === "adopt-final" ? state.adoption : (state.lines[0] ?? null);
}

function signerLabels({ statement, signers }: StatementFile, view: StateView, { io }: Context): string[] {
  const enrolled = readKeys(touchmarkHome(io));
  const [id = ""] = statementChains(statement);
  const authority = statedAuthority(statement) ?? speaking(statement, view.state(id))?.authority ?? null;
  return [...new Set(signers.map((signer) => labelOf(signer, authority, enrolled)).toSorted())];
}
