import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { cleanText } from "@touchmark/core";
import { statusOfFile } from "../../authority/file-status.ts";
import { CARRIER_FLAGS } from "../../carriers/carrier.ts";
import { type Command, type Context, defineCommand, usageError } from "../../command.ts";
import { CliError } from "../../error.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { submitFile } from "../../log/submit-file.ts";
import { chooseRegistry } from "../../statements/choose-registry.ts";
import { readHeldTarball } from "../../statements/draft-release.ts";
import { openRelease } from "./open-release.ts";
import { requireQuorum } from "./require-quorum.ts";

export const releasePublish: Command = defineCommand({
  name: "release publish",
  usage: "[FILE.touchmark|DIGEST] [FILE.tgz…] [--branch NAME | --inbox] [--client npm] [--publish-arg ARG…]",
  examples: [
    "touchmark release publish widget-1.0.1.tgz.touchmark widget-1.0.1.tgz",
    "touchmark release publish widget-1.0.1.tgz.touchmark --branch touchmark/releases",
  ],
  about: [
    "Only once enough have signed: runs the client's publish for each tarball (npm stage approve for what is staged), hands the release to the log,",
    "and ends when a cosigned checkpoint covers it. The tarballs have to be the very bytes that were signed.",
    "--log-only does without the client, for what is published already.",
  ],
  flags: {
    ...CARRIER_FLAGS,
    client: { value: "NAME", help: "npm (the default), pnpm, yarn or bun: <client> publish FILE.tgz" },
    "publish-arg": { value: "ARG", many: true, help: "an argument for the client, as --publish-arg=--tag=next" },
    "log-only": { help: "don't publish, only hand it to the log" },
    registry: { value: "NAME", help: "the registry, where the policy names several" },
    wait: { value: "SECONDS", help: "how long to try again while the log is away; 30 when left out" },
  },
  operands: [0, 500],
  run: async (values, operands, context) => {
    const tarballs = operands.filter((typed) => /\.(?:tgz|tar\.gz)$/.test(typed));
    const [typed = "", unknown] = operands.filter((operand) => !tarballs.includes(operand));
    if (unknown !== undefined) throw usageError("release publish", "One release is published at a time.");
    const command = "release publish";
    const { io, ui } = context;
    const client = values.client ?? "npm";
    if (!/^(?:npm|pnpm|yarn|bun)$/.test(client)) throw usageError(command, "--client is not npm, pnpm, yarn or bun.");
    const wait = values.wait ?? "30";
    if (!/^\d{1,5}$/.test(wait)) throw usageError(command, "--wait is not a number of seconds.");
    const policy = loadPolicy(context);
    const { file, found } = await openRelease(typed, values, policy, context);
    requireQuorum(await statusOfFile(file, found, policy, context), file);
    const { statement } = found;
    const releases = statement.kind === "release" ? statement.releases : new Map();
    const registry = chooseRegistry(policy, values.registry);
    const held = new Map<string, string>();
    for (const tarball of tarballs) {
      const { releaseId, sha512 } = await readHeldTarball(resolve(io.cwd, tarball), registry);
      if (releases.get(releaseId)?.sha512 !== sha512)
        throw new CliError("OTHER_BYTES", `${tarball} is not what was signed.`, "Nothing was published.");
      held.set(releaseId, tarball);
    }
    const runs = values["log-only"]
      ? []
      : [...releases].map(([id, { stage }]): string[] => {
          if (stage !== null) return ["npm", "stage", "approve", plainStage(stage), ...values["publish-arg"]];
          const tarball = held.get(id);
          if (tarball === undefined)
            throw usageError(command, `The tarball of ${id} is missing.`, "Name it; or --log-only if it is published.");
          return [client, "publish", tarball, ...values["publish-arg"]];
        });
    for (const [program = "", ...args] of runs) {
      ui.progress(`running ${[program, ...args].join(" ")}`);
      await runClient(program, args, context);
    }
    const { exit, document, lines } = await submitFile(file, policy, Number(wait), context);
    ui.result({ ...document, published: runs.length }, lines);
    return exit;
  },
});

// Whoever proposed the release wrote it, and it becomes an argument of npm's, on Windows by way of a shell.
function plainStage(stage: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._:-]*$/.test(stage)) return stage;
  throw new CliError(
    "OTHER_STATEMENT",
    `The release names a stage that no registry gives: ${cleanText(stage)}`,
    "Nothing was published.",
  );
}

// The client talks to the person itself; its results are no results of ours.
function runClient(program: string, args: readonly string[], { io }: Context): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(program, [...args], {
      cwd: io.cwd,
      env: io.env,
      stdio: ["inherit", "pipe", "pipe"],
      shell: io.platform === "win32",
      signal: io.signal,
    });
    child.stdout.on("data", (text: Uint8Array) => io.stderr(text));
    child.stderr.on("data", (text: Uint8Array) => io.stderr(text));
    child.on("error", (cause) => {
      fail(new CliError("PUBLISH_FAILED", `${program} could not be started.`, "Nothing was logged.", cause));
    });
    child.on("close", (code) => {
      if (code === 0) done();
      else
        fail(
          new CliError(
            "PUBLISH_FAILED",
            `${program} ended with ${code ?? "a signal"}.`,
            "The release was not logged. If it is published all the same: --log-only",
          ),
        );
    });
  });
}
