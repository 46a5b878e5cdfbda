import { basename, resolve } from "node:path";
import {
  concernedKeys,
  concernedSubjects,
  encodeEnvelope,
  encodeHex,
  MAX_ENVELOPE_BYTES,
  type PackageState,
  parseEnvelope,
  type Statement,
} from "@touchmark/core";
import { fetchInbox, nodeCrypto, postInbox } from "@touchmark/log";
import type { Policy } from "@touchmark/verify";
import { askLog } from "../authority/log-view.ts";
import { type Context, usageError } from "../command.ts";
import { logEndpoint } from "../files/log-endpoint.ts";
import { readIfThere } from "../files/read-file.ts";
import { writeWhole } from "../files/write-file.ts";
import { openStatement } from "../statements/statement-file.ts";
import { mergeEnvelopes } from "./merge-envelopes.ts";
import { readFromBranch, writeToBranch } from "./git-branch.ts";

/** Three ways for a statement from signer to signer: the file alone, a branch in git, the log's inbox. */
export const CARRIER_FLAGS = {
  branch: { value: "NAME", help: "carry the statement in this branch of the git repository here" },
  remote: { value: "NAME", help: "the git remote that the branch is on; origin when left out" },
  inbox: { help: "carry the statement in the log's inbox" },
} as const;

export interface CarrierWish {
  branch: string | undefined;
  remote: string | undefined;
  inbox: boolean;
}

const DIGEST = /^(?:sha256:)?([0-9a-f]{64})$/;

/** Brings what others have signed meanwhile into the local file, whose path is the answer. `typed` is a file, or with --inbox a statement's digest. */
export async function bringIn(typed: string, wish: CarrierWish, policy: Policy, context: Context): Promise<string> {
  const { io } = context;
  check(wish);
  const digest = DIGEST.exec(typed)?.[1];
  const file = digest === undefined ? typed : `${digest.slice(0, 16)}.touchmark`;
  const path = resolve(io.cwd, file);
  const here = readIfThere(path, MAX_ENVELOPE_BYTES);
  const theirs = await fetchTheirs(file, digest, here, wish, policy, context);
  if (theirs === null) return file;
  // What comes from elsewhere is verified before it is written.
  const { envelope, statement, signers } = openStatement(theirs);
  const concerned = await keysConcerned(statement, policy, context);
  for (const foreign of signers.filter((signer) => !concerned.has(signer)))
    context.ui.warn(`the signature by ${foreign} is left out: that key has no say in this statement`);
  const unsigned = encodeEnvelope({ ...envelope, signatures: [] });
  await writeWhole(path, mergeEnvelopes(here ?? unsigned, theirs, concerned));
  return file;
}

/** Whose signatures are carried: one by anybody else would have the log refuse them all [S-4]. */
async function keysConcerned(statement: Statement, policy: Policy, context: Context): Promise<ReadonlySet<string>> {
  const ids = concernedSubjects(statement, () => undefined);
  const view = await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
  const state = (id: string): PackageState | undefined => (view.knows(id) ? view.state(id) : undefined);
  return concernedKeys(statement, state);
}

async function fetchTheirs(
  file: string,
  digest: string | undefined,
  here: Uint8Array | null,
  wish: CarrierWish,
  policy: Policy,
  context: Context,
): Promise<Uint8Array | null> {
  if (wish.branch !== undefined) return readFromBranch(place(file, wish), context);
  if (!wish.inbox) return null;
  const wanted = digest ?? (here === null ? undefined : digestOf(here));
  if (wanted === undefined)
    throw usageError("release", `There is no ${file}.`, "With --inbox name the statement's digest.");
  return fetchInbox(logEndpoint(policy, context.io), wanted);
}

/** Gives the local file to the others. */
export async function sendOut(file: string, wish: CarrierWish, policy: Policy, context: Context): Promise<string[]> {
  const { io } = context;
  const bytes = readIfThere(resolve(io.cwd, file), MAX_ENVELOPE_BYTES);
  if (bytes === null) return [];
  if (wish.branch !== undefined) {
    const concerned = (): ReturnType<typeof keysConcerned> =>
      keysConcerned(openStatement(bytes).statement, policy, context);
    await writeToBranch(place(file, wish), bytes, concerned, context);
    return [`It is in the branch ${wish.branch}: touchmark release sign ${basename(file)} --branch ${wish.branch}`];
  }
  if (!wish.inbox) return [];
  await postInbox(logEndpoint(policy, io), bytes);
  return [`It is in the log's inbox: touchmark release sign sha256:${digestOf(bytes)} --inbox`];
}

function check({ branch, inbox }: CarrierWish): void {
  if (branch !== undefined && inbox) throw usageError("release", "--branch and --inbox do not go together.");
  if (branch !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/.test(branch))
    throw usageError("release", "--branch is no name of a branch.");
}

function place(
  file: string,
  { branch = "", remote = "origin" }: CarrierWish,
): { remote: string; branch: string; name: string } {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(remote))
    throw usageError("release", "--remote is no name of a remote.");
  return { remote, branch, name: basename(file) };
}

function digestOf(envelope: Uint8Array): string {
  return encodeHex(nodeCrypto.sha256(parseEnvelope(envelope).payload));
}
