import type { JsonObject } from "@touchmark/core";
import { describeState, type ShowModel } from "../../authority/describe-authority.ts";
import { askLog, viewLocked } from "../../authority/log-view.ts";
import { type Command, type Context, defineCommand } from "../../command.ts";
import { evidenceJson, evidenceLine } from "../../evidence/describe-evidence.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { readSubjectIds } from "../../statements/subject-ids.ts";

export const authorityShow: Command = defineCommand({
  name: "authority show",
  usage: "PACKAGE… [--offline] [--roots FILE]",
  examples: ["touchmark authority show @acme/widget", "touchmark authority show committee:care --json"],
  about: [
    "The whole state of a package, a committee or a log: holders, keys, thresholds, what waits and until when, vetoes, holds, the epoch.",
    "--offline looks into touchmark.lock alone. With --roots it says which keys are attested, of which model, by makers whom you believe.",
  ],
  flags: {
    offline: { help: "by touchmark.lock, without asking the log" },
    registry: { value: "NAME", help: "the registry, where the policy names several" },
    roots: { value: "FILE", help: "certificates, or a folder of such, of the makers whom you believe" },
    metadata: { value: "FILE", help: "the FIDO Alliance's metadata file, with --metadata-root" },
    "metadata-root": { value: "FILE", help: "the root certificate of whoever signs the metadata file" },
  },
  operands: [1, 500],
  run: async (values, operands, context) => {
    const { io, ui } = context;
    const policy = loadPolicy(context);
    const ids = readSubjectIds(operands, policy, values.registry);
    const view = values.offline
      ? await viewLocked(ids, policy, context)
      : await askLog(Object.fromEntries(ids.map((id) => [id, []])), policy, context);
    const showModel = await modelsBy(values, context);
    const shown = ids.map((id) => ({
      id,
      ...describeState(id, view.state(id), view.entries(id), view.time, showModel),
    }));
    const documents: JsonObject[] = shown.map(({ document }) => document);
    ui.result({ ok: true, subjects: documents, evidence: evidenceJson(view.evidence, policy, io.now()) }, [
      ...shown.flatMap(({ id, lines }) => [ui.bold(id), ...lines, ""]),
      `evidence  ${evidenceLine(view.evidence, policy, io.now())}`,
    ]);
    return 0;
  },
});

interface Makers {
  roots: string | undefined;
  metadata: string | undefined;
  "metadata-root": string | undefined;
}

// What reads CBOR and certificates is loaded only where somebody is believed.
async function modelsBy(values: Makers, { io }: Context): Promise<ShowModel> {
  if (values.roots === undefined && values.metadata === undefined && values["metadata-root"] === undefined)
    return () => undefined;
  const { readTrust } = await import("../../keys/attestation-trust.ts");
  const { describeModel } = await import("../../keys/attested-model.ts");
  const trust = await readTrust("authority show", values, io);
  return (key) => describeModel(key, trust);
}
