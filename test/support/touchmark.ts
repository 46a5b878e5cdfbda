import { homedir } from "node:os";
import { type Io, run } from "touchmark";
import { cleanNpmEnv } from "./npm-env.ts";

/** What a command printed, and how it ended. */
export interface Outcome {
  exit: number;
  stdout: string;
  stderr: string;
  /** Both streams, as they came. */
  text: string;
}

/** Where a command runs, and what it has of the world. */
export interface Place {
  /** The current folder. */
  directory: string;
  /** The Touchmark home. */
  home: string;
  env?: Readonly<Record<string, string>>;
  /** Seconds since 1970; the system's clock when left out. */
  now?: () => number;
  /** The network, as far as Touchmark itself uses it. */
  fetch?: Io["fetch"];
  /** What is typed, line by line; without it there is no terminal. */
  typed?: string[];
  /** Where a command is told to read a PIN from: what each file descriptor gives. */
  descriptors?: Readonly<Record<number, string>>;
  signal?: AbortSignal;
  /** The ports that keys are plugged into; the system's own when left out. */
  watch?: NonNullable<Io["watch"]>;
  gitConfig?: NonNullable<Io["gitConfig"]>;
  openUrl?: NonNullable<Io["openUrl"]>;
  platform?: NodeJS.Platform;
  homeDirectory?: string;
  /** Sees what is printed, as it comes. */
  onPrint?: (text: string) => void;
}

/** Runs one command line in this process: the real one, with nothing replaced but the edges that `place` names. */
export async function runTouchmark(argv: readonly string[], place: Place): Promise<Outcome> {
  const outcome: Outcome = { exit: -1, stdout: "", stderr: "", text: "" };
  const add = (stream: "stdout" | "stderr") => (piece: string | Uint8Array) => {
    const text = typeof piece === "string" ? piece : Buffer.from(piece).toString("utf8");
    outcome[stream] += text;
    outcome.text += text;
    place.onPrint?.(text);
  };
  const hasTerminal = place.typed !== undefined;
  const ask = async (question: string): Promise<string | undefined> => {
    add("stderr")(`${question}\n`);
    return place.typed?.shift();
  };
  const io: Io = {
    stdout: add("stdout"),
    stderr: add("stderr"),
    askSecret: ask,
    askText: ask,
    askConfirm: async (question) => (await ask(question)) === "y",
    readLine: async (fd) => place.descriptors?.[fd] ?? "",
    npmConfig: async () => Promise.reject(new Error("no test asks npm for its configuration")),
    cwd: place.directory,
    env: { ...cleanNpmEnv(place.home), ...place.env, TOUCHMARK_HOME: place.home },
    homeDirectory: place.homeDirectory ?? homedir(),
    now: place.now ?? (() => Math.floor(Date.now() / 1000)),
    fetch: place.fetch ?? ((url, init) => fetch(url, init)),
    platform: place.platform ?? process.platform,
    ...(place.watch && { watch: place.watch }),
    ...(place.gitConfig && { gitConfig: place.gitConfig }),
    ...(place.openUrl && { openUrl: place.openUrl }),
    isTerminal: { stdin: hasTerminal, stdout: hasTerminal, stderr: hasTerminal },
    signal: place.signal ?? new AbortController().signal,
  };
  outcome.exit = await run(argv, io);
  return outcome;
}
