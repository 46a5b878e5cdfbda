import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missingForOpenssh } from "./support/openssh.ts";
import { runCommand } from "./support/script-commands.ts";
import { matches, parseScript, splitWords, type Step } from "./support/script.ts";
import { closeStage, openStage, type Outcome, type Stage } from "./support/stage.ts";

const SCRIPTS = join(import.meta.dirname, "scripts");
const UPDATE = process.env["UPDATE_SCRIPTS"] === "1";

// In CI everything has to be there.
const missing = process.env["CI"] === undefined ? missingForOpenssh() : null;

describe.concurrent("scripts", () => {
  for (const name of readdirSync(SCRIPTS)) {
    const skipped = name === "openssh.txt" && missing !== null;
    it.skipIf(skipped)(`${name.replace(/\.txt$/, "")}${skipped ? ` (left out: ${missing})` : ""}`, async () => {
      const source = readFileSync(join(SCRIPTS, name), "utf8");
      const script = parseScript(source);
      const stage = await openStage(script, source);
      const outcomes: Outcome[] = [];
      try {
        for (const step of script.steps) {
          const outcome = await runStep(step, stage, outcomes.at(-1));
          if (!UPDATE) compare(name, step, outcome, stage);
          outcomes.push(outcome);
        }
      } finally {
        await closeStage(stage);
      }
      if (UPDATE) writeFileSync(join(SCRIPTS, name), rewrite(source, outcomes, stage));
    });
  }
});

function runStep(step: Step, stage: Stage, last: Outcome | undefined): Promise<Outcome> {
  const words = splitWords(step.command).map((word) => stage.expand(word));
  return runCommand(words, stage, last ?? { stdout: "", stderr: "", exit: 0 });
}

function compare(name: string, step: Step, outcome: Outcome, stage: Stage): void {
  const expand = (lines: string[]): string[] => lines.map((line) => stage.expand(line));
  const [stdout, stderr] = [expand(step.stdout), expand(step.stderr)];
  if (matches(outcome.stdout, stdout) && matches(outcome.stderr, stderr) && outcome.exit === step.exit) return;
  expect(shown(outcome), `${name}:${step.line} $ ${step.command}`).toBe(
    shown({
      stdout: stdout.map((line) => `${line}\n`).join(""),
      stderr: stderr.map((line) => `${line}\n`).join(""),
      exit: step.exit,
    }),
  );
}

function shown({ stdout, stderr, exit }: Outcome): string {
  return [...prefixed(stdout, ">"), ...prefixed(stderr, "!"), `exit ${exit}`].join("\n");
}

function prefixed(text: string, mark: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => `${mark} ${line}`.trimEnd());
}

// With UPDATE_SCRIPTS=1 the expectations are written anew from what was printed; what varies becomes a wildcard. Read the difference.
function rewrite(source: string, outcomes: Outcome[], stage: Stage): string {
  const files = source.search(/^-- .+ --$/m);
  const head = (files < 0 ? source : source.slice(0, files))
    .split("\n")
    .filter((line) => !/^(?:[>!](?: |$)|exit \d$)/.test(line));
  let at = 0;
  const written = head.flatMap((line) => {
    if (!line.startsWith("$ ")) return [line];
    const { stdout, stderr, exit } = outcomes[at++]!;
    const vary = (text: string): string => varying(text, stage);
    return [
      line,
      ...prefixed(vary(stdout), ">"),
      ...prefixed(vary(stderr), "!"),
      ...(exit === 0 ? [] : [`exit ${exit}`]),
    ];
  });
  return `${written.join("\n")}${files < 0 ? "" : source.slice(files)}`;
}

function varying(text: string, { variables }: Stage): string {
  let varied = text
    .replaceAll(/^(?:No security key is plugged in|The library that talks to USB).*$/gm, "[...]")
    .replaceAll(/(?<=with )(?:ECDSA|ED25519)(?=-SK key)/g, "[..]")
    .replaceAll(/SHA256:[A-Za-z0-9+/]{43}/g, "SHA256:[..]")
    .replaceAll(/sha256:[0-9a-f]{64}/g, "sha256:[..]")
    .replaceAll(/(sha256:)[0-9a-f]{12}(?:…|(?= ))/g, "$1[..]")
    .replaceAll(/(?<=entry )[0-9a-f]{32}…/g, "[..]")
    .replaceAll(/^(?:npm (?:notice|warn).*\n)+/gm, "[...]\n")
    .replaceAll(/"(reference|npm:[^"]*)":( ?)"[0-9a-f]{64}"/g, '"$1":$2"[..]"')
    .replaceAll(/(sk-(?:ecdsa-sha2-nistp256|ssh-ed25519)@openssh\.com) [A-Za-z0-9+/=]+/g, "$1 [..]")
    .replaceAll(/"(object|checkpoint)":( ?)"[^"]*"/g, '"$1":$2"[..]"');
  for (const [name, value] of variables)
    if (/^(?:WORK|REGISTRY|LOG_\w+)$/.test(name)) varied = varied.replaceAll(value, `\${${name}}`);
  return varied
    .replaceAll(/udp:127\.0\.0\.1:\d+/g, "udp:[..]")
    .replaceAll(/(?<= at )127\.0\.0\.1:\d+/g, "[..]")
    .replaceAll(/(?<=(?:packages?|date) in )\d+m?s/g, "[..]")
    .replaceAll(/SHA256-[\w+-]{43}/g, "SHA256-[..]");
}
