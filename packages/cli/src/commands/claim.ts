import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { cleanText, parseSubjectId, type PublishedVersion, UNCLAIMED } from "@touchmark/core";
import type { Policy } from "@touchmark/verify";
import { deliver, STATEMENT_FLAGS } from "../authority/deliver.ts";
import { DETAILS_FLAGS, editDetails } from "../authority/edit-authority.ts";
import { fileNameFor } from "../authority/subjects.ts";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { localPackages, writeAuthority } from "../files/workspace.ts";
import { fetchEarlierVersions } from "../registry/earlier-versions.ts";
import { type Claimed, draftClaim, encodeEarlierFile } from "../statements/draft-claim.ts";
import { AUTHORITY_FLAGS, newAuthority } from "../statements/new-authority.ts";
import { readSubjectId } from "../statements/subject-ids.ts";
import { unsignedStatement } from "../statements/statement-file.ts";

const { uv: _uv, ...SIGN } = STATEMENT_FLAGS;

const FLAGS = {
  ...AUTHORITY_FLAGS,
  workspaces: { help: "the packages of this repository: its own and those of its workspaces" },
  proof: {
    value: "VERSION",
    many: true,
    help: "a published version that carries the digest, for a rival claim; NAME@VERSION with several packages",
  },
  "write-digest": { help: "write the digest into the package.json of each package that is found here" },
  "no-earlier": { help: "nothing was published so far: don't ask the registry" },
  committee: DETAILS_FLAGS.committee,
  ...SIGN,
} as const;

export const claim: Command = defineCommand({
  name: "claim",
  usage: "PACKAGE… --key CARD… --threshold M --out FILE.touchmark [--recovery-key CARD… --recovery-threshold N]",
  examples: [
    "touchmark claim",
    "touchmark claim @acme/widget --key alice.card --key bob.card --key carol.card --threshold 2 --out widget.claim.touchmark",
  ],
  about: [
    "Without anything else, at a terminal: asks what a claim has to say, and explains what each choice means for the day when a key is lost.",
    "Writes a claim that nobody has signed yet, and beside it FILE.touchmark.earlier: the versions published so far with their sha512,",
    "read from the registry. Every key that it lists then signs it with touchmark sign, and anyone submits it.",
    "PACKAGE is a name in the policy's registry, a scope of this repository's packages (@acme/*), or a full package id (npm:<registry>/<name>).",
  ],
  flags: FLAGS,
  operands: [0, 500],
  run: async (values, operands, context) => {
    const { io } = context;
    const asks = operands.length === 0 && values.key.length === 0 && !values.workspaces && io.isTerminal.stdin;
    if (!asks && operands.length === 0 && !values.workspaces)
      throw usageError("claim", "touchmark claim needs PACKAGE.");
    const answers = asks ? await (await import("../statements/claim-assistant.ts")).askForClaim(context) : null;
    const wishes = answers?.wishes ?? values;
    const out = answers?.out ?? values.out;
    if (out === undefined || !out.endsWith(".touchmark"))
      throw usageError("claim", "--out FILE.touchmark is missing, or does not end in .touchmark.");
    const authority = newAuthority(wishes, "claim", context);
    const policy = loadPolicy(context);
    const ids = readIds(answers?.packages ?? operands, values, policy, context);
    const details = editDetails(ids[0]!, null, { ...NO_DETAILS, committee: values.committee }, "claim");
    const claimed = new Map<string, Claimed>();
    const previous = values.proof.length > 0 ? await previousOf(ids, policy, context) : () => null;
    for (const id of ids) {
      const isPackage = parseSubjectId(id).kind === "package";
      const earlier = values["no-earlier"] || !isPackage ? [] : await earlierOf(id, policy, asks, context);
      claimed.set(id, { earlier, previous: previous(id), proof: proofOf(id, earlier, values.proof) });
    }
    const payload = draftClaim(policy.log.origin, claimed, authority, details);
    const { statement } = unsignedStatement(payload);
    const digest = statement.kind === "claim" ? statement.authority.digest : "";
    const writes = answers?.["write-digest"] ?? values["write-digest"];
    const written = writes ? await writeDigest(ids, digest, policy, values.registry, context) : [];
    return deliver(
      {
        command: "claim",
        payload,
        view: { policy, state: () => UNCLAIMED },
        name: `${fileNameFor(ids)}.claim`,
        earlier: encodeEarlierFile(claimed),
        document: {
          earlier: `${out}.earlier`,
          authority: digest,
          packages: Object.fromEntries([...claimed].map(([id, { earlier }]) => [id, earlier.length])),
          written,
        },
        lines: written.map(
          (file) => `Wrote the digest into ${file}: publish a version with it within 7 days of the claim.`,
        ),
      },
      { ...values, out },
      context,
    );
  },
});

const NO_DETAILS = { scope: [], power: [], "term-days": undefined };

function readIds(
  typed: readonly string[],
  { workspaces, registry }: { workspaces: boolean; registry: string | undefined },
  policy: Policy,
  { io }: Context,
): string[] {
  const here = workspaces || typed.some((one) => one.endsWith("/*")) ? localPackages(io.cwd) : [];
  const names = [
    ...(workspaces ? here.map(({ name }) => name) : []),
    ...typed.flatMap((one) => (one.endsWith("/*") ? inScope(one, here) : [refuseFile(one, io.cwd)])),
  ];
  if (names.length === 0) throw usageError("claim", "There is no package here that could be published.");
  const ids = names.map((name) => readClaimed(name, policy, registry)).toSorted();
  const twice = ids.find((id, i) => id === ids[i + 1]);
  if (twice !== undefined) throw usageError("claim", `${twice} stands twice.`);
  return ids;
}

function readClaimed(typed: string, policy: Policy, registry: string | undefined): string {
  try {
    return readSubjectId(typed, policy, registry);
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== "USAGE") throw error;
    throw new CliError("USAGE", error.message, "Key cards are named with --key, once for each.");
  }
}

function inScope(pattern: string, here: readonly { name: string }[]): string[] {
  const scope = pattern.slice(0, -1);
  const names = here.map(({ name }) => name).filter((name) => name.startsWith(scope));
  if (names.length > 0) return names;
  throw usageError(
    "claim",
    `No package of this repository is in ${cleanText(pattern, 80)}.`,
    "A registry does not say what is in a scope: name the packages, or run this where they are.",
  );
}

function refuseFile(typed: string, cwd: string): string {
  if (!existsSync(resolve(cwd, typed))) return typed;
  throw new CliError(
    "USAGE",
    `${cleanText(typed, 80)} is a file, not a package.`,
    "Key cards are named with --key, once for each. A package is named npm:<registry>/<name> where a file has its name.",
  );
}

// Whether a package was never published the registry alone can't say: it might not show it. The person can.
async function earlierOf(id: string, policy: Policy, asks: boolean, { io, ui }: Context): Promise<Claimed["earlier"]> {
  try {
    return await fetchEarlierVersions(id, policy, io, ui);
  } catch (error) {
    const isUnknown = error instanceof CliError && error.code === "NOT_PUBLISHED";
    if (!isUnknown || !asks || !(await io.askConfirm(`The registry knows no ${id}. Was it never published?`)))
      throw error;
    return [];
  }
}

/** A rival's claim follows the entries that are there [S-17]. */
async function previousOf(
  ids: readonly string[],
  policy: Policy,
  context: Context,
): Promise<(id: string) => Uint8Array | null> {
  const { askLog } = await import("../authority/log-view.ts");
  const view = await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
  return (id) => view.state(id).last?.leafHash ?? null;
}

function proofOf(id: string, earlier: Claimed["earlier"], proofs: readonly string[]): PublishedVersion | null {
  const name = parseSubjectId(id).kind === "package" ? id.slice(id.indexOf("/") + 1) : "";
  const meant = proofs.find((proof) => proof.startsWith(`${name}@`)) ?? proofs.find((proof) => !proof.includes("@"));
  if (meant === undefined) return null;
  const version = meant.slice(meant.lastIndexOf("@") + 1);
  const found = earlier.find(([published]) => published === version);
  if (found) return { version, sha512: found[1] };
  throw new CliError(
    "NOT_PUBLISHED",
    `The registry has no version ${cleanText(version, 80)} of ${name}.`,
    "Publish one whose package.json carries the digest, and name it.",
  );
}

async function writeDigest(
  ids: readonly string[],
  digest: string,
  policy: Policy,
  registry: string | undefined,
  { io }: Context,
): Promise<string[]> {
  const written: string[] = [];
  for (const { name, file } of localPackages(io.cwd)) {
    if (!ids.includes(readSubjectId(name, policy, registry))) continue;
    if (await writeAuthority(io.cwd, file, digest)) written.push(file);
  }
  return written;
}
