import { resolve } from "node:path";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { addOwnSignature, listedKeys, signedResult, SIGNING_FLAGS } from "../statements/add-signature.ts";
import { chooseRegistry } from "../statements/choose-registry.ts";
import type { HeldTarball } from "../statements/draft-release.ts";
import {
  readStatementFile,
  readStatementIfThere,
  type StatementFile,
  unsignedStatement,
} from "../statements/statement-file.ts";

const FLAGS = {
  ...SIGNING_FLAGS,
  base: {
    value: "VERSION",
    many: true,
    help: "the version that the change is measured against; NAME@VERSION with several tarballs",
  },
  "base-tarball": {
    value: "FILE",
    many: true,
    help: "the base's tarball, to count what changed; the one beside the new tarball when left out",
  },
  repository: { value: "URL", help: "where the source is, with --commit" },
  commit: { value: "HEX", help: "the commit that was built" },
  registry: { value: "NAME", help: "the registry, where the policy names several" },
  out: { value: "FILE", help: "the signature file; <tarball>.touchmark when left out, needed with several tarballs" },
  expect: { value: "DIGEST", help: "stop unless the statement's digest is this one" },
} as const;

export const sign: Command = defineCommand({
  name: "sign",
  usage: "FILE… [--holder LABEL] [--base VERSION] [--expect DIGEST] [--out FILE] [--yes]",
  examples: [
    "touchmark sign widget-1.0.0.tgz",
    "touchmark sign widget.claim.touchmark --holder alice",
    "touchmark sign a-1.0.0.tgz b-1.0.0.tgz --out release.touchmark",
  ],
  about: [
    "A tarball: its signature file is made, or checked to be about these very bytes, and one signature is added.",
    "A .touchmark file: what it says is shown, and one signature is added.",
    "Several tarballs: one statement with several subjects and one touch.",
  ],
  flags: FLAGS,
  operands: [1, 500],
  run: async (values, operands, context) => {
    const { ui } = context;
    const { file, found, held } = await openStatementFile(operands, values, context);
    checkExpected(found, values.expect);
    const remark = (): void => {
      if (found.statement.kind !== "release" || !operands[0]!.endsWith(".touchmark")) return;
      ui.warn(
        "the tarballs themselves were not looked at",
        "touchmark sign FILE.tgz compares them with the statement.",
      );
    };
    const changes = await changesOf(found, held, values["base-tarball"], context);
    const plan = { file, listed: listedKeys(found.statement), changes, remark };
    const { document, lines } = signedResult(file, await addOwnSignature(found, plan, values, context));
    ui.result(document, lines);
    return 0;
  },
});

type SignValues = {
  registry: string | undefined;
  out: string | undefined;
  base: readonly string[];
  "base-tarball": readonly string[];
  repository: string | undefined;
  commit: string | undefined;
};

async function openStatementFile(
  operands: readonly string[],
  values: SignValues,
  context: Context,
): Promise<{ file: string; found: StatementFile; held: HeldTarball[] }> {
  const [first] = operands;
  const statements = operands.filter((operand) => operand.endsWith(".touchmark"));
  if (statements.length === 0) {
    const file = values.out ?? (operands.length === 1 ? `${first}.touchmark` : undefined);
    if (file === undefined)
      throw usageError(
        "sign",
        "--out is missing.",
        "Several tarballs make one signature file: name it with --out FILE.",
      );
    return { file, ...(await openRelease(operands, file, values, context)) };
  }
  if (operands.length > 1) throw usageError("sign", "A .touchmark file is signed alone.");
  if (
    values.out !== undefined ||
    values.base.length > 0 ||
    values["base-tarball"].length > 0 ||
    values.repository !== undefined ||
    values.commit !== undefined
  )
    throw usageError("sign", "--out, --base, --base-tarball, --repository and --commit are for tarballs.");
  return { file: first!, found: readStatementFile(resolve(context.io.cwd, first!)), held: [] };
}

/** The release of these tarballs: the one in the file if there is one, else a new one. */
async function openRelease(
  tarballs: readonly string[],
  file: string,
  values: SignValues,
  context: Context,
): Promise<{ found: StatementFile; held: HeldTarball[] }> {
  const { draftRelease, readHeldTarball } = await import("../statements/draft-release.ts");
  const { checkSameRelease } = await import("../statements/same-release.ts");
  const policy = loadPolicy(context);
  const registry = chooseRegistry(policy, values.registry);
  const held = [];
  for (const tarball of tarballs) held.push(await readHeldTarball(resolve(context.io.cwd, tarball), registry));
  if (new Set(held.map(({ releaseId }) => releaseId)).size !== held.length)
    throw usageError("sign", "Two of the tarballs are the same release.");
  const { repository, commit } = values;
  if ((repository === undefined) !== (commit === undefined))
    throw usageError("sign", "--repository and --commit go together.");
  const source = repository === undefined || commit === undefined ? undefined : { repository, commit };
  const drafted = unsignedStatement(draftRelease(held, { origin: policy.log.origin, bases: values.base, source }));
  const found = readStatementIfThere(resolve(context.io.cwd, file));
  if (found === null) return { found: drafted, held };
  checkSameRelease(found, drafted, file, { bases: values.base.length > 0, source: source !== undefined });
  return { found, held };
}

async function changesOf(
  { statement }: StatementFile,
  held: HeldTarball[],
  named: readonly string[],
  { io }: Context,
): Promise<Map<string, string>> {
  if (held.length === 0) return new Map();
  const { describeChanges } = await import("../statements/describe-changes.ts");
  return describeChanges(
    statement,
    held,
    named.map((file) => resolve(io.cwd, file)),
  );
}

function checkExpected({ digest }: StatementFile, expected: string | undefined): void {
  if (expected === undefined || expected === `sha256:${digest}` || expected === digest) return;
  throw new CliError(
    "OTHER_STATEMENT",
    `This is another statement than the one expected: its digest is sha256:${digest}.`,
    "Nothing was signed. Ask whoever named the digest.",
  );
}
