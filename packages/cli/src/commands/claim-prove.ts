import { type ClaimProof, encodeHex, encodeProof, type Line, lineInForce, parseSubjectId } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { deliver, STATEMENT_FLAGS } from "../authority/deliver.ts";
import { askLog, type LogView } from "../authority/log-view.ts";
import { fileNameFor } from "../authority/subjects.ts";
import { type Command, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { readKeys } from "../keys/key-store.ts";
import { touchmarkHome } from "../files/home.ts";
import { fetchEarlierVersions } from "../registry/earlier-versions.ts";
import { readSubjectIds } from "../statements/subject-ids.ts";

export const claimProve: Command = defineCommand({
  name: "claim prove",
  usage: "PACKAGE… --version V | --letter b|c|d --evidence URL [--out FILE.touchmark]",
  examples: [
    "touchmark claim prove @acme/widget --version 1.0.1",
    "touchmark claim prove @acme/widget --letter b --evidence https://git.example/acme/widget/touchmark.json",
  ],
  about: [
    "(a): a version published within 7 days of the claim, whose package.json carries the digest. Its sha512 is read from the registry; the log",
    "looks into it. (b) a file in the repository, (c) provenance that goes on, (d) half of the npm maintainers: recorded for people to look at.",
    "One key of the claim signs; signed and handed in at once if one is enrolled here, and written only with --out.",
  ],
  flags: {
    ...STATEMENT_FLAGS,
    version: { value: "V", help: "the published version that carries the digest: proof (a)" },
    letter: { value: "L", help: "b, c or d, with --evidence" },
    evidence: { value: "URL", help: "where a person can look" },
    claim: { value: "INDEX", help: "the entry of the claim, where there are several" },
  },
  operands: [1, 500],
  run: async (values, operands, context) => {
    const { version, letter, evidence } = values;
    if ((version === undefined) === (letter === undefined) || (letter === undefined) !== (evidence === undefined))
      throw usageError("claim prove", "It is either --version V, or --letter and --evidence.");
    if (letter !== undefined && !/^[bcd]$/.test(letter)) throw usageError("claim prove", "--letter is not b, c or d.");
    const policy = loadPolicy(context);
    const ids = readSubjectIds(operands, policy, values.registry);
    const view = await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
    const own = new Set(readKeys(touchmarkHome(context.io)).map(({ fingerprint }) => fingerprint));
    const proofs = new Map<string, ClaimProof>();
    for (const id of ids) {
      const { leafHash: claim } = chooseClaim(id, view, values.claim, own).claim;
      if (version === undefined) {
        proofs.set(id, { claim, letter: letter as "b" | "c" | "d", evidence: evidence! });
        continue;
      }
      const published = await fetchEarlierVersions(id, policy, context.io, context.ui);
      const found = published.find(([one]) => one === version);
      if (!found)
        throw new CliError("NOT_PUBLISHED", `The registry has no version ${version} of ${id}.`, "Publish it first.");
      proofs.set(id, { claim, letter: "a", version, sha512: found[1] });
    }
    const payload = encodeProof(nodeCrypto, { logs: [policy.log.origin], proofs });
    const claims = Object.fromEntries([...proofs].map(([id, { claim }]) => [id, encodeHex(claim)]));
    return deliver(
      {
        command: "claim prove",
        payload,
        view,
        name: `${fileNameFor(ids)}.proof`,
        atOnce: true,
        document: { letter: letter ?? "a", claims },
      },
      values,
      context,
    );
  },
});

/** The claim that is meant: the one named, the only one, or the only one with a key that is enrolled here. */
export function chooseClaim(
  id: string,
  view: LogView,
  entry: string | undefined,
  own: ReadonlySet<string> = new Set(),
): Line {
  if (parseSubjectId(id).kind !== "package") throw usageError("claim prove", `${id} is no package.`);
  const state = view.state(id);
  if (state.lines.length === 0)
    throw new CliError("NOT_THERE", `Nobody has claimed ${id}.`, "Claim it: touchmark claim");
  if (lineInForce(state)) throw new CliError("NOT_THERE", `The claim of ${id} is in force: there is nothing to prove.`);
  if (entry !== undefined && !/^\d{1,15}$/.test(entry)) throw usageError("claim prove", "--claim is no index.");
  const named = state.lines.filter(({ claim }) => entry === undefined || claim.index === Number(entry));
  const mine = named.filter(({ authority }) => authority.keys.some(({ fingerprint }) => own.has(fingerprint)));
  const [line, ...others] = named.length > 1 ? mine : named;
  if (line !== undefined && others.length === 0) return line;
  const all = state.lines.map(({ claim }) => claim.index).join(", ");
  throw new CliError("NOT_THERE", `There are several claims of ${id}, by the entries ${all}.`, "Choose with --claim.");
}
