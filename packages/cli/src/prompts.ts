import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** Asks for one line without showing it. Undefined if the person ends it with Ctrl-C or Ctrl-D, or the signal fires. */
export async function askSecret(prompt: string, signal: AbortSignal): Promise<string | undefined> {
  process.stderr.write(prompt);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await askLine(nowhere, "", signal);
  } finally {
    process.stderr.write("\n");
  }
}

/** Asks for one line. Undefined if the person ends it with Ctrl-C or Ctrl-D, or the signal fires. */
export async function askText(question: string, signal: AbortSignal): Promise<string | undefined> {
  const answer = await askLine(process.stderr, `${question} `, signal);
  if (answer === undefined) process.stderr.write("\n");
  return answer;
}

/** Asks yes or no; no is the default. */
export async function askConfirm(question: string, signal: AbortSignal): Promise<boolean> {
  const answer = await askLine(process.stderr, `${question} [y/N] `, signal);
  if (answer === undefined) process.stderr.write("\n");
  return /^y(?:es)?$/i.test(answer?.trim() ?? "");
}

/** The first line of a file descriptor. */
export async function readLine(fd: number): Promise<string> {
  const lines = createInterface({
    input: createReadStream("", { fd, autoClose: false }),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of lines) return line;
  return "";
}

// Raw mode is readline's own doing when `terminal` is set: what is typed goes to `output` and nowhere else.
function askLine(output: NodeJS.WritableStream, prompt: string, signal: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const asked = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  const abort = (): void => {
    asked.close();
  };
  signal.addEventListener("abort", abort, { once: true });
  asked.once("SIGINT", abort).once("close", () => {
    signal.removeEventListener("abort", abort);
    resolve(undefined);
  });
  asked.question(prompt, (answer) => {
    resolve(answer);
    asked.close();
  });
  if (signal.aborted) asked.close();
  return promise;
}
