import { resolve } from "node:path";
import {
  isObject,
  type JsonObject,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  parseJson,
  parseStatement,
  type Reason,
  type Statement,
} from "@touchmark/core";
import { type EarlierList, nodeCrypto, submitEnvelope } from "@touchmark/log";
import { type CheckedQuorum, checkQuorum } from "@touchmark/verify";
import { type Command, defineCommand } from "../command.ts";
import { CliError } from "../error.ts";
import { EXIT } from "../failure.ts";
import { touchmarkHome } from "../files/home.ts";
import { logEndpoint } from "../files/log-endpoint.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { readIfThere, readWhole } from "../files/read-file.ts";
import { rememberCheckpoint } from "../files/remember-checkpoint.ts";
import { table } from "../ui.ts";

const MAX_EARLIER_FILE = 4 * 1024 * 1024; // [L-20]

export const submit: Command = defineCommand({
  name: "submit",
  usage: "FILE.touchmark",
  examples: ["touchmark submit widget-1.0.0.tgz.touchmark"],
  about: [
    "Hands a statement to the policy's log, and ends when a signed checkpoint covers it, cosigned by the log's witnesses.",
    "The same statement again gets the same answer, so that it can always be repeated.",
  ],
  flags: {},
  operands: [1, 1],
  run: async (_values, [file = ""], context) => {
    const { io, ui } = context;
    const policy = loadPolicy(context);
    const envelope = readWhole(resolve(io.cwd, file), MAX_ENVELOPE_BYTES);
    const statement = parseStatement(nodeCrypto, parseEnvelope(envelope).payload);
    const earlier = await readEarlier(statement, `${file}.earlier`, io.cwd);
    const log = logEndpoint(policy, io);
    const { entries, checkpoint } = await submitEnvelope(log, earlier === null ? { envelope } : { envelope, earlier });
    await rememberCheckpoint(touchmarkHome(io), log, checkpoint);
    const quorum = checkQuorum(policy, checkpoint, io.now());
    const lacking = quorum !== null && "code" in quorum ? quorum : null;
    const authority = statement.kind === "claim" ? statement.authority.digest : null;
    ui.result(
      {
        ok: lacking === null,
        log: policy.log.origin,
        entries: Object.fromEntries(entries),
        checkpoint: checkpoint.note,
        cosigned: quorum !== null && "time" in quorum ? [...quorum.cosigned] : null,
        ...(authority === null ? {} : { authority }),
      },
      [
        `Logged in ${policy.log.origin}, checkpoint of size ${checkpoint.size}${describeQuorum(quorum)}.`,
        ...table([...entries].map(([packageId, index]) => [`  entry ${index}`, packageId])),
        ...(authority === null
          ? []
          : [`Whoever relies on it pins the authority in touchmark.json: "authority": "${authority}"`]),
      ],
    );
    if (lacking === null) return EXIT.ok;
    // It is logged and keeps its place, but whoever has this policy will not rely on that yet.
    ui.warn(`${lacking.message} [${lacking.code}]`, "Submit it again later: it gets the same entries.");
    return EXIT.unchecked;
  },
});

function describeQuorum(quorum: CheckedQuorum | Reason | null): string {
  return quorum !== null && "time" in quorum ? `, cosigned by ${quorum.cosigned.join(", ")}` : "";
}

/** The list beside a claim; a claim of packages without earlier versions does without the file. */
async function readEarlier(
  statement: Statement,
  file: string,
  cwd: string,
): Promise<Record<string, EarlierList> | null> {
  if (statement.kind !== "claim") return null;
  const bytes = readIfThere(resolve(cwd, file), MAX_EARLIER_FILE);
  if (bytes !== null) return parseEarlier(bytes, file);
  if ([...statement.packages.values()].every(({ earlier }) => earlier.size === 0))
    return Object.fromEntries([...statement.packages.keys()].map((packageId) => [packageId, []]));
  throw new CliError(
    "EARLIER_MALFORMED",
    `The list of earlier versions is missing: there is no ${file}.`,
    "touchmark claim wrote it beside the claim.",
  );
}

function parseEarlier(bytes: Uint8Array, file: string): Record<string, EarlierList> {
  const value = parseJson(bytes, { bytes: MAX_EARLIER_FILE, depth: 4 });
  if (!isObject(value) || !isEarlier(value))
    throw new CliError(
      "EARLIER_MALFORMED",
      `${file} is not a list of earlier versions.`,
      "touchmark claim wrote it beside the claim.",
    );
  return value;
}

function isEarlier(value: JsonObject): value is Record<string, [string, string][]> {
  return Object.values(value).every(
    (list) =>
      Array.isArray(list) &&
      list.every((item) => Array.isArray(item) && item.length === 2 && item.every((text) => typeof text === "string")),
  );
}
