import { resolve } from "node:path";
import { encodeUtf8 } from "@touchmark/core";
import { overlapSentence, parseVerifierKey } from "@touchmark/log";
import { parsePolicy } from "@touchmark/verify";
import { type Command, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { writeNew } from "../files/write-file.ts";
import { chooseQuorum } from "../log/choose-quorum.ts";
import { table } from "../ui.ts";

export const init: Command = defineCommand({
  name: "init",
  usage: "--log URL --log-key VKEY [--witness VKEY … | --quorum FILE] [--registry NAME=URL …] [--level LEVEL]",
  examples: [
    'touchmark init --log https://log.example/main/ --log-key "log.example/main+1a2b3c4d+AbCd…" --quorum witnesses.policy',
  ],
  about: [
    "Writes a touchmark.json: the root of all trust, to be kept in the repository.",
    "Without --registry, the address is that of npm's own configuration, under the name npmjs.",
    "--witness names those who have to cosign what the log shows: all of one or two, else as many as tolerate one dishonest witness.",
    "--quorum takes a C2SP tlog-policy instead. Without either nobody vouches that the log has one history.",
  ],
  flags: {
    log: { value: "URL", help: "the log's address" },
    "log-key": { value: "VKEY", help: "the log's verifier key, as its operator publishes it" },
    witness: { value: "VKEY", many: true, help: "a witness, by its verifier key" },
    quorum: { value: "FILE", help: "a policy of witnesses, as the log's operator publishes it" },
    registry: { value: "NAME=URL", many: true, help: "a registry's name and an address that serves it" },
    level: { value: "LEVEL", help: "observe, ratchet (the default) or strict, for all packages" },
  },
  operands: [0, 0],
  run: async (values, _operands, { io, ui, policy: named }) => {
    const { log, "log-key": logKey, level = "ratchet" } = values;
    if (log === undefined || logKey === undefined) throw usageError("init", "--log or --log-key is missing.");
    const file = named ?? "touchmark.json";
    const registries =
      values.registry.length > 0
        ? readRegistries(values.registry)
        : { npmjs: [withSlash(await io.npmConfig("registry"))] };
    const quorum = chooseQuorum(values.witness, values.quorum && resolve(io.cwd, values.quorum), logKey);
    const document = {
      version: 1,
      registries,
      log: {
        url: withSlash(log),
        origin: parseVerifierKey(logKey).name,
        key: logKey,
        ...(quorum && { quorum: quorum.lines }),
      },
      packages: { "*": { level } },
    };
    const text = `${JSON.stringify(document, null, 2)}\n`;
    parsePolicy(encodeUtf8(text), io.now());
    try {
      await writeNew(resolve(io.cwd, file), text);
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
      throw new CliError(
        "POLICY_EXISTS",
        `${file} is there already, and is left as it is.`,
        "Edit it, or name another file with --policy.",
        cause,
      );
    }
    ui.result({ ok: true, file, policy: document }, [
      `Wrote ${file}.`,
      ...table([
        ["  log", document.log.origin],
        ...Object.entries(registries).map(([name, addresses]) => [`  ${name}`, addresses.join(" ")]),
        ["  level", level],
        ...(quorum === null ? [] : [["  quorum", overlapSentence(quorum.overlap)]]), // [P-13]
      ]),
    ]);
    if (quorum === null)
      ui.warn(
        "no witnesses are named: nobody vouches that this log shows everybody the same history",
        "Name them: --witness VKEY for each, or --quorum FILE.",
      );
    return 0;
  },
});

function readRegistries(pairs: readonly string[]): Record<string, string[]> {
  const registries = new Map<string, string[]>();
  for (const pair of pairs) {
    const [, name, address] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (name === undefined || address === undefined)
      throw usageError("init", "--registry is not of the form NAME=URL.");
    registries.set(name, [...(registries.get(name) ?? []), withSlash(address)]);
  }
  return Object.fromEntries(registries);
}

function withSlash(address: string): string {
  return address.endsWith("/") ? address : `${address}/`;
}
