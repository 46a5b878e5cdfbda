// The real world behind `Io`. Nothing here decides anything.
import type { Io } from "./io.ts";
import { type Output, processOutput } from "./output.ts";
import { run } from "./run.ts";

/** Runs the process's own command line. */
export async function main(): Promise<void> {
  const [stdout, stderr] = [processOutput("stdout"), processOutput("stderr")];
  const { signal, forget } = cancelSignal();
  process.exitCode = await run(process.argv.slice(2), terminalIo(stdout, stderr, signal));
  forget();
  // Where nothing is left to be written, Node need not take its heap apart object by object.
  if (stdout.isDrained && stderr.isDrained) process.exit();
}

/** Ctrl-C as a signal, from when somebody asks for it; before that, and the second time, it ends the process the usual way. */
function cancelSignal(): { signal: () => AbortSignal; forget: () => void } {
  let cancelled: AbortController | undefined;
  // A terminal that is closed ends what was typed there; what runs on without one may have been told to by nohup.
  const names: NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
  const cancel = (): void => {
    cancelled?.abort();
  };
  return {
    signal: () => {
      if (!cancelled && process.getBuiltinModule("node:tty").isatty(0)) names.push("SIGHUP");
      if (!cancelled) for (const name of names) process.once(name, cancel);
      cancelled ??= new AbortController();
      return cancelled.signal;
    },
    forget: () => {
      for (const name of names) process.removeListener(name, cancel);
    },
  };
}

function terminalIo(stdout: Output, stderr: Output, signal: () => AbortSignal): Io {
  return {
    stdout: stdout.write,
    stderr: stderr.write,
    askSecret: async (prompt) => (await import("./prompts.ts")).askSecret(prompt, signal()),
    askText: async (question) => (await import("./prompts.ts")).askText(question, signal()),
    askConfirm: async (question) => (await import("./prompts.ts")).askConfirm(question, signal()),
    readLine: async (fd) => (await import("./prompts.ts")).readLine(fd),
    npmConfig: async (key) => (await import("./npm-config.ts")).npmConfig(key),
    openUrl: async (url) => (await import("./open-url.ts")).openUrl(url),
    gitConfig: async (key) => (await import("./git-config.ts")).gitConfig(key),
    platform: process.platform,
    cwd: process.cwd(),
    env: process.env,
    get homeDirectory() {
      return process.getBuiltinModule("node:os").homedir();
    },
    now: () => Math.floor(Date.now() / 1000),
    fetch: (url, init) => fetch(url, init),
    // Each of the three is set up when it is first looked at.
    isTerminal: {
      get stdin() {
        return process.stdin.isTTY;
      },
      get stdout() {
        return stdout.isTerminal;
      },
      get stderr() {
        return stderr.isTerminal;
      },
    },
    get signal() {
      return signal();
    },
  };
}
