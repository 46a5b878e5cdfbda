import { resolve } from "node:path";
import { encodeHex, encodeReview, isVersion, packageIdHash } from "@touchmark/core";
import { leafHash, nodeCrypto } from "@touchmark/log";
import { envelopeOpener, type ProvedEntry } from "@touchmark/verify";
import { deliver, STATEMENT_FLAGS } from "../../authority/deliver.ts";
import { readCommitteeId } from "../../authority/edit-authority.ts";
import { askLog, type LogView } from "../../authority/log-view.ts";
import { fileNameFor } from "../../authority/subjects.ts";
import { type Command, defineCommand, usageError } from "../../command.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { chooseRegistry } from "../../statements/choose-registry.ts";
import { readHeldTarball } from "../../statements/draft-release.ts";

export const committeeReview: Command = defineCommand({
  name: "committee review",
  usage:
    "committee:ID FILE.tgz --verdict good|bad|unclear [--base VERSION] [--tool NAME@VERSION --rules HEX] [--out FILE.touchmark]",
  examples: ["touchmark committee review committee:care left-pad-1.3.1.tgz --verdict good --base 1.3.0"],
  about: [
    "The committee's verdict on these very bytes, against a version that it compared them with. A newer review takes an older one's place.",
  ],
  flags: {
    ...STATEMENT_FLAGS,
    verdict: { value: "VERDICT", help: "good, bad or unclear" },
    base: { value: "VERSION", help: "the version that it was compared with" },
    tool: { value: "NAME@VERSION", help: "the tool that looked, with --rules" },
    rules: { value: "HEX", help: "SHA-256 of what the tool goes by" },
  },
  operands: [2, 500],
  run: async (values, [committee = "", ...files], context) => {
    const command = "committee review";
    const by = readCommitteeId(committee, "ID", command);
    const { verdict, base } = values;
    if (verdict !== "good" && verdict !== "bad" && verdict !== "unclear")
      throw usageError(command, "--verdict is not good, bad or unclear.");
    if (base !== undefined && (files.length > 1 || !isVersion(base)))
      throw usageError(command, "--base is a version, for one tarball at a time.");
    const tool = readTool(values.tool, values.rules, command);
    const policy = loadPolicy(context);
    const registry = chooseRegistry(policy, values.registry);
    const reviews = new Map();
    for (const file of files) {
      const { releaseId, sha512, tarSha512 } = await readHeldTarball(resolve(context.io.cwd, file), registry);
      reviews.set(releaseId, { sha512, tarSha512, base: base ?? null, verdict, tool });
    }
    const view = await askLog({ [by]: [...reviews.keys()] }, policy, context);
    const before = newestReview(by, [...reviews.keys()], view);
    const replaces = before && leafHash(before.bytes);
    const payload = encodeReview({ logs: [policy.log.origin], by, replaces, reviews });
    const lines = before ? [`It takes the place of the review in entry ${before.index}.`] : [];
    const document = { follows: before?.index ?? null };
    return deliver({ command, payload, view, name: `${fileNameFor([by])}.review`, lines, document }, values, context);
  },
});

// What it follows makes it another statement, though it may say what was said before [S-39].
function newestReview(by: string, releaseIds: readonly string[], { evidence }: LogView): ProvedEntry | null {
  const open = envelopeOpener(evidence);
  const entries = evidence.entries.get(encodeHex(packageIdHash(nodeCrypto, by))) ?? [];
  const newest = entries.findLast((entry) => {
    const statement = entry.kind === "review" ? open(entry)?.statement : undefined;
    return statement?.kind === "review" && releaseIds.some((releaseId) => statement.reviews.has(releaseId));
  });
  return newest ?? null;
}

function readTool(
  typed: string | undefined,
  rules: string | undefined,
  command: string,
): { name: string; version: string; rules: string } | null {
  if (typed === undefined && rules === undefined) return null;
  const at = typed?.lastIndexOf("@") ?? -1;
  if (typed === undefined || at <= 0 || rules === undefined || !/^[0-9a-f]{64}$/.test(rules))
    throw usageError(command, "--tool NAME@VERSION and --rules, 64 hex digits, go together.");
  return { name: typed.slice(0, at), version: typed.slice(at + 1), rules };
}
