import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cleanNpmEnv } from "../test/support/npm-env.ts";
import { startVerdaccio, type Verdaccio } from "../test/support/verdaccio.ts";

// The stage of the story: a folder for everybody, a registry, a log, and real processes. It decides nothing: the story
// says what a command must do, and the stage stops the show when it doesn't.

export interface Output {
  exit: number;
  stdout: string;
  /** Both streams, as they came. */
  text: string;
  seconds: number;
}

/** What a command must do for the story to go on. */
export interface Expectation {
  exit: number;
  says?: (string | RegExp)[];
}

export interface Stage {
  registry: Verdaccio;
  /** The folder of one person; it exists. */
  folder(who: string): string;
  write(who: string, file: string, content: string | object): void;
  chapter(title: string): void;
  tell(line: string): void;
  /** Runs `touchmark …` or `npm …` as somebody, in their folder. */
  run(who: string, command: string, expected: Expectation): Promise<Output>;
  /** Starts a log, a witness and an auditor that have to cosign whatever it shows. */
  startLog(origin: string): Promise<WitnessedLog>;
  close(): Promise<void>;
}

export interface WitnessedLog {
  url: string;
  key: string;
  /** The lines of its policy of witnesses, without their addresses. */
  quorum: string[];
}

export class StoryError extends Error {
  override readonly name = "StoryError";
}

const TOUCHMARK = join(import.meta.dirname, "../packages/cli/src/main.ts");
const LINES_SHOWN = 14;

export async function openStage(print: (line: string) => void): Promise<Stage> {
  const root = mkdtempSync(join(tmpdir(), "touchmark-demo-"));
  const registry = await startVerdaccio();
  const children: ChildProcess[] = [];
  const folder = (who: string): string => {
    const path = join(root, who);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const write: Stage["write"] = (who, file, content) => {
    const path = join(folder(who), file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
  };
  const environment = (who: string): NodeJS.ProcessEnv => ({
    ...cleanNpmEnv(folder(who)),
    TOUCHMARK_HOME: join(root, `${who}.touchmark`),
    NO_COLOR: "1",
    npm_config_registry: registry.url,
  });

  const run: Stage["run"] = async (who, command, expected) => {
    print(`  ${style(36, who.padEnd(6))} ${style(1, `$ ${command}`)}`);
    const [program = "", ...args] = command.split(" ");
    const output = await execute(
      program === "touchmark" ? [process.execPath, TOUCHMARK, ...args] : [program, ...args],
      folder(who),
      environment(who),
    );
    const { text } = output;
    const lines = text
      .replaceAll(root, "…")
      .split("\n")
      .filter((line) => line.trim() !== "");
    for (const line of lines.slice(0, LINES_SHOWN))
      print(`         ${style(2, line.length > 150 ? `${line.slice(0, 149)}…` : line)}`);
    if (lines.length > LINES_SHOWN) print(style(2, `         … ${lines.length - LINES_SHOWN} more lines`));
    const missing = (expected.says ?? []).filter((part) =>
      typeof part === "string" ? !text.includes(part) : !part.test(text),
    );
    if (output.exit !== expected.exit || missing.length > 0) {
      const why =
        output.exit === expected.exit
          ? `it did not say ${missing.join(", ")}`
          : `it ended with ${output.exit} instead of ${expected.exit}`;
      throw new StoryError(`${who}'s "${command}" did not do what it should: ${why}.\n${text}`);
    }
    return output;
  };

  const serve = async (who: string, args: string): Promise<{ child: ChildProcess; said: Announcement }> => {
    const child = spawn(process.execPath, [TOUCHMARK, ...args.split(" "), "--dir", join(root, who), "--json"], {
      cwd: root,
      env: environment(who),
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    return { child, said: JSON.parse(await firstLine(child)) as Announcement };
  };

  const startLog: Stage["startLog"] = async (origin) => {
    // Its first start makes the log's key, which the others are to be given; then it begins anew with their keys.
    const first = await serve("log", `log serve --origin ${origin} --port 0`);
    await stop(first.child);
    const { url, port, key } = first.said;
    const [witness, auditor] = await Promise.all([
      serve("witness", `log witness serve --name witness.example --log ${key} --port 0`),
      serve("auditor", `log audit serve --name audit.example --log ${url} --key ${key} --port 0`),
    ]);
    const cosigners = { witness: witness.said, auditor: auditor.said };
    const lines = Object.entries(cosigners).map(([name, { keys }]) => `witness ${name} ${keys[0]}`);
    const quorum = ["group both all witness auditor", "quorum both"];
    const addressed = lines.map((line, i) => `${line} ${Object.values(cosigners)[i]!.url}`);
    write("log", "quorum.policy", `${[...addressed, ...quorum].join("\n")}\n`);
    await serve("log", `log serve --port ${port} --quorum ${join(folder("log"), "quorum.policy")}`);
    return { url, key, quorum: [...lines, ...quorum] };
  };

  return {
    registry,
    folder,
    write,
    chapter: (title) => print(`\n${style(1, title)}`),
    tell: (line) => print(`  ${style(32, "✔")} ${line}`),
    run,
    startLog,
    close: async () => {
      for (const child of children) await stop(child);
      await registry.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** What a server says once it is ready. */
interface Announcement {
  url: string;
  port: number;
  key: string;
  keys: string[];
}

function style(code: number, text: string): string {
  return process.stdout.isTTY && !process.env["NO_COLOR"] ? `\u001b[${code}m${text}\u001b[0m` : text;
}

function execute(command: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Output> {
  const start = performance.now();
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => {
    stdout += more;
    text += more;
  });
  child.stderr.setEncoding("utf8").on("data", (more: string) => (text += more));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ exit: code ?? -1, stdout, text, seconds: (performance.now() - start) / 1000 }),
    );
  });
}

function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  let complaint = "";
  child.stderr?.setEncoding("utf8").on("data", (more: string) => (complaint += more));
  return new Promise((resolve, reject) => {
    child.stdout?.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new StoryError(`A server ended with ${code} before it was ready: ${complaint}`)),
    );
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}
