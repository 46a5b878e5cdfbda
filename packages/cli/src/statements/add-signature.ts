import { resolve } from "node:path";
import { addSignature, type Authority, encodeEnvelope, type Statement, statementChains } from "@touchmark/core";
import { type Context, usageError, type Values } from "../command.ts";
import { confirm } from "../confirm.ts";
import { touchmarkHome } from "../files/home.ts";
import { writeWhole } from "../files/write-file.ts";
import { BROWSER_FLAGS, makeBrowserEdges } from "../keys/browser-edges.ts";
import { chooseKeys } from "../keys/choose-keys.ts";
import { isSoftware, normalizeDevice } from "../keys/device.ts";
import { makeInteraction, PIN_FLAG } from "../keys/interaction.ts";
import { type EnrolledKey, readKeys } from "../keys/key-store.ts";
import { noteSubjects } from "../keys/known-subjects.ts";
import { TRACE_FLAG } from "../keys/open-key.ts";
import { signPayload } from "../keys/sign-payload.ts";
import { describeStatement, type Detail, labelOf, statedAuthority } from "./describe.ts";
import { openStatement, type StatementFile } from "./statement-file.ts";

const OWN_FLAGS = {
  holder: { value: "LABEL", help: "whose key signs, where several holders' keys are enrolled here" },
  key: { value: "FINGERPRINT", help: "the very key that signs" },
  device: { value: "D", help: "where the key is; where it was enrolled when left out" },
  full: { help: "show digests in full" },
  uv: { help: "sign with PIN or fingerprint" },
  yes: { help: "don't ask before the touch" },
} as const;

/** What every command that signs is asked. */
export const SIGNING_FLAGS: typeof OWN_FLAGS & typeof PIN_FLAG & typeof TRACE_FLAG & typeof BROWSER_FLAGS = {
  ...OWN_FLAGS,
  ...PIN_FLAG,
  ...TRACE_FLAG,
  ...BROWSER_FLAGS,
};

export interface SigningWish extends Omit<Values<typeof SIGNING_FLAGS>, "key"> {
  key?: string | undefined;
}

export interface SignedFile {
  found: StatementFile;
  /** null if whoever was meant has signed already. */
  added: { holder: string; fingerprint: string } | null;
  /** Who has signed, by label where it is known. */
  labels: string[];
}

export interface SigningPlan {
  /** Where the statement is, as typed; written anew with the signature. */
  file: string;
  /** Fingerprints of which one is to sign; null where the statement alone says nothing of it. */
  listed: ReadonlySet<string> | null;
  /** Whose labels and demands hold, where the statement states none. */
  authority?: Authority | null;
  changes?: Detail["changes"];
  /** Said after the statement is shown and before it is asked for. */
  remark?: () => void;
}

/** Shows a statement, asks for it, and adds one signature to its file. Throws CliError, FidoError and what the system throws. */
export async function addOwnSignature(
  before: StatementFile,
  { file, listed, authority = null, changes = new Map(), remark }: SigningPlan,
  wish: SigningWish,
  context: Context,
): Promise<SignedFile> {
  const { io, ui } = context;
  const interaction = makeInteraction(context, wish["pin-fd"]);
  const home = touchmarkHome(io);
  const enrolled = readKeys(home);
  const stated = statedAuthority(before.statement);
  const asking = [stated, authority].filter((one) => one !== null);
  const choice = chooseKeys(meant(enrolled, wish.key), {
    holder: wish.holder,
    device: wish.device === undefined ? undefined : normalizeDevice(wish.device, io),
    listed,
    signed: new Set(before.signers),
  });
  const labels = (signers: string[]): string[] => [
    ...new Set(signers.map((signer) => labelOf(signer, stated ?? authority, enrolled)).toSorted()),
  ];
  if (choice.kind === "signed already") return { found: before, added: null, labels: [choice.holder] };
  for (const line of describeStatement(before.statement, before.digest, labels(before.signers), {
    full: wish.full,
    changes,
  }))
    ui.progress(line);
  remark?.();
  await confirm(wish.yes, `Sign this as ${choice.holder}?`, "Nothing was signed.", context);
  if (isSoftware(choice.device)) ui.warn("this is a software key, not hardware");
  if (listed === null && labels(before.signers).includes(choice.holder))
    ui.warn(`${choice.holder} has signed this already: a second key of the same holder is no second vote`);
  const { signature, key } = await signPayload({
    payload: before.envelope.payload,
    keys: choice.keys,
    device: choice.device,
    demands: {
      userVerification:
        wish.uv ||
        asking.some(({ userVerification }) => userVerification) ||
        choice.keys.every(({ userVerification }) => userVerification),
      deviceBound: asking.some(({ deviceBound }) => deviceBound),
    },
    interaction,
    watch: io.watch ?? {},
    trace: wish.trace === undefined ? undefined : resolve(io.cwd, wish.trace),
    env: io.env,
    browser: makeBrowserEdges(context, wish),
  });
  const bytes = encodeEnvelope(addSignature(before.envelope, signature));
  await writeWhole(resolve(io.cwd, file), bytes);
  // What this person has a say in, so that it can be looked after.
  await noteSubjects(home, before.statement.logs, statementChains(before.statement));
  const found = openStatement(bytes);
  return {
    found,
    added: { holder: key.holder, fingerprint: key.fingerprint },
    labels: labels(found.signers),
  };
}

/** The result of adding a signature, as every command prints it. */
export function signedResult(
  file: string,
  { found, added, labels }: SignedFile,
): { document: Document; lines: string[] } {
  const { digest, signers } = found;
  return {
    document: { ok: true, file, statement: `sha256:${digest}`, signers, added },
    lines:
      added === null
        ? [`${file} is signed by ${labels.join(", ")} already.`]
        : [`Signed as ${added.holder}: ${file}`, `  statement  sha256:${digest}`, `  signed by  ${labels.join(", ")}`],
  };
}

type Document = { ok: boolean; file: string; statement: string; signers: string[]; added: SignedFile["added"] };

/** The keys that the statement itself says have to sign; null where that depends on what the log knows. */
export function listedKeys(statement: Statement): Set<string> | null {
  if (statement.kind !== "claim") return null;
  const { keys, recovery } = statement.authority;
  return new Set([...keys, ...(recovery?.keys ?? [])].map(({ fingerprint }) => fingerprint));
}

function meant(enrolled: EnrolledKey[], fingerprint: string | undefined): EnrolledKey[] {
  if (fingerprint === undefined) return enrolled;
  const keys = enrolled.filter((key) => key.fingerprint === fingerprint);
  if (keys.length > 0) return keys;
  throw usageError(
    "sign",
    "The key that --key names is not enrolled here.",
    "touchmark key list shows those that are.",
  );
}
