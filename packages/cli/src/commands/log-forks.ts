import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseUtf8 } from "@touchmark/core";
import {
  encodeVerifierKey,
  LogError,
  MAX_FORK_BYTES,
  parseFork,
  type SignedCheckpoint,
  verifyFork,
} from "@touchmark/log";
import { type Command, defineCommand } from "../command.ts";
import { EXIT } from "../failure.ts";
import { touchmarkHome } from "../files/home.ts";
import { readWhole } from "../files/read-file.ts";
import { table } from "../ui.ts";

export const logForks: Command = defineCommand({
  name: "log forks",
  usage: "[FILE…]",
  examples: ["touchmark log forks", "touchmark log forks from-a-colleague.txt"],
  about: [
    "Shows the logs that were caught with two histories: both signed notes, and the proof that neither tree extends the other.",
    "Without FILE those that this user has met. A file proves it to anybody who knows the log's key; no log and no network is needed.",
    "Exit code 1 if a log is proved to have signed two histories, 3 if a file proves nothing.",
  ],
  flags: {},
  operands: [0, 100],
  run: async (_values, operands, { io, ui }) => {
    const kept = join(touchmarkHome(io), "forks");
    const files = operands.length > 0 ? operands.map((file) => resolve(io.cwd, file)) : keptFiles(kept);
    const forks = files.map(checkFile);
    ui.result(
      { ok: forks.length === 0, forks: forks.map(toJson) },
      forks.length === 0
        ? ["No log was caught with two histories."]
        : [
            ...forks.flatMap(toLines),
            "Compare the key with the one in your policy. Whoever has a file can check it with: touchmark log forks FILE",
            "The notes in it are C2SP signed notes; the proof is an RFC 6962 consistency proof from the tree of `root` to the larger note's.",
          ],
    );
    if (forks.some(({ problem }) => problem === null)) return EXIT.rejected;
    return forks.length === 0 ? EXIT.ok : EXIT.unchecked;
  },
});

/** A file, and what it proves: `problem` is null if it proves that the key's owner signed two histories. */
interface CheckedFork {
  file: string;
  key: string | null;
  older: SignedCheckpoint | null;
  newer: SignedCheckpoint | null;
  problem: string | null;
}

function keptFiles(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => name.endsWith(".txt"));
  return names.toSorted().map((name) => join(directory, name));
}

function checkFile(file: string): CheckedFork {
  let key: string | null = null;
  try {
    const fork = parseFork(parseUtf8(readWhole(file, MAX_FORK_BYTES)));
    key = encodeVerifierKey(fork.key);
    return { file, key, ...verifyFork(fork), problem: null };
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return { file, key, older: null, newer: null, problem: error.message };
  }
}

function toJson({ file, key, older, newer, problem }: CheckedFork): {
  file: string;
  key: string | null;
  proved: boolean;
  problem: string | null;
  checkpoints: { origin: string; size: number; root: string; note: string }[];
} {
  return {
    file,
    key,
    proved: problem === null,
    problem,
    checkpoints: [older, newer]
      .filter((checkpoint) => checkpoint !== null)
      .map(({ origin, size, root, note }) => ({ origin, size, root: rootText(root), note })),
  };
}

function toLines({ file, key, older, newer, problem }: CheckedFork): string[] {
  if (problem !== null || !older || !newer) return [`${file} proves nothing: ${problem}`, ""];
  return [
    `${older.origin} signed two trees of which neither extends the other.`,
    ...table([
      ["  file", file],
      ["  key", key ?? ""],
      ["  one", `${older.size} leaves, root ${rootText(older.root)}`],
      ["  other", `${newer.size} leaves, root ${rootText(newer.root)}`],
    ]),
    "",
  ];
}

function rootText(root: Uint8Array): string {
  return Buffer.from(root).toString("base64");
}
