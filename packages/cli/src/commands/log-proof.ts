import { resolve } from "node:path";
import { encodeHex, packageIdHash, parseEnvelope, parseStatement } from "@touchmark/core";
import { encodeTlogProof, encodeVerifierKey, fetchProvedLeaf, isAuthorityKind, nodeCrypto } from "@touchmark/log";
import type { OpenedEvidence, ProvedEntry } from "@touchmark/verify";
import { type Command, defineCommand, usageError } from "../command.ts";
import { reasonLines } from "../evidence/describe-verdict.ts";
import { loadEvidence } from "../evidence/load-evidence.ts";
import { EXIT } from "../failure.ts";
import { lockfilePath } from "../files/lockfile-path.ts";
import { logEndpoint } from "../files/log-endpoint.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { writeWhole } from "../files/write-file.ts";
import { chooseRegistry } from "../statements/choose-registry.ts";
import { readSubject } from "../statements/read-subject.ts";
import { table } from "../ui.ts";

export const logProof: Command = defineCommand({
  name: "log proof",
  usage: "NAME[@VERSION] --out FILE.tlog-proof",
  examples: ["touchmark log proof @acme/widget@1.0.0 --out widget-1.0.0.tlog-proof"],
  about: [
    "Writes the proof that a release is in the policy's log, or without VERSION the package's last authority entry, in C2SP's form tlog-proof:",
    "the entry, its place, the hashes, and the signed checkpoint. Other people's tools can check it, offline.",
    "Whether the statement itself is good is another matter: touchmark verify, or touchmark export for ssh-keygen.",
  ],
  flags: {
    out: { value: "FILE", help: "the file to write" },
    registry: { value: "NAME", help: "the registry, where the policy names several" },
  },
  operands: [1, 1],
  run: async (values, [typed = ""], context) => {
    const { io, ui } = context;
    if (values.out === undefined) throw usageError("log proof", "--out is missing.");
    const policy = loadPolicy(context);
    const { packageId, version } = readSubject(typed, "log proof", () => chooseRegistry(policy, values.registry));
    const ask = { [packageId]: version === null ? [] : [version] };
    const { evidence } = await loadEvidence({ policy, lockfile: lockfilePath(io, undefined), ask }, context);
    if ("code" in evidence) {
      ui.result({ ok: false, reason: { ...evidence } }, reasonLines(evidence));
      return EXIT.unchecked;
    }
    const entry = findEntry(evidence, packageId, version);
    if (entry === undefined) {
      const what =
        version === null ? `${packageId} is not in the log.` : `No release of ${packageId}@${version} is in the log.`;
      ui.result({ ok: false, reason: { code: "NOT_SIGNED", message: what } }, [what]);
      return EXIT.rejected;
    }
    const { checkpoint } = evidence;
    const { envelope } = entry;
    const { leaf, proof: hashes } = await fetchProvedLeaf(logEndpoint(policy, io), entry.index, checkpoint);
    const text = encodeTlogProof({ extra: leaf, index: entry.index, hashes, checkpoint: checkpoint.note }); // [M-13]
    await writeWhole(resolve(io.cwd, values.out), text);
    const key = encodeVerifierKey(policy.log.key);
    ui.result(
      { ok: true, file: values.out, packageId, version, index: entry.index, size: checkpoint.size, envelope, key },
      [
        `Wrote ${values.out}.`,
        ...table([
          ["  entry", `${entry.index} of ${checkpoint.size}, ${entry.kind}`],
          ["  envelope", `SHA-256 ${envelope}`],
          ["  log's key", key],
        ]),
      ],
    );
    return EXIT.ok;
  },
});

/** The last release of the version, or the last authority entry where no version is asked for. */
function findEntry(evidence: OpenedEvidence, packageId: string, version: string | null): ProvedEntry | undefined {
  const entries = evidence.entries.get(encodeHex(packageIdHash(nodeCrypto, packageId))) ?? [];
  return entries.findLast((entry) => {
    if (version === null) return isAuthorityKind(entry.kind);
    const envelope = evidence.envelopes.get(entry.envelope);
    if (entry.kind !== "release" || envelope === undefined) return false;
    const statement = parseStatement(nodeCrypto, parseEnvelope(envelope).payload);
    return statement.kind === "release" && statement.releases.has(`${packageId}@${version}`);
  });
}
