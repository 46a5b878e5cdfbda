// How Touchmark talks:
//
// - Results go to stdout; progress, questions and errors to stderr. With --json stdout holds one JSON document and nothing else.
// - A line of progress begins in lower case and has no full stop. An error is one sentence, its code and a hint:
//     error: No security key is plugged in. [NO_DEVICE]
//     hint: Plug in a FIDO2 security key and try again.
// - Text from outside (names, reasons, answers, file names) goes through cleanText before it is printed [C-16].
// - Colour only says again what the words say; only on a terminal, and not where NO_COLOR is set.
// - Tables are aligned by spaces, have no frames, and are never cut: what is printed can be copied.
import type { JsonObject } from "@touchmark/core";
import type { Io } from "./io.ts";

/** What a command prints with. */
export interface Ui {
  /** The result: `document` with --json, else `lines`. Called once by each command that has one. */
  readonly result: (document: JsonObject, lines: string[]) => void;
  /** As `result`, for a command that goes on: with --json one line, so that whoever waits for it can read line by line. */
  readonly announce: (document: JsonObject, lines: string[]) => void;
  readonly progress: (line: string) => void;
  readonly warn: (line: string, hint?: string) => void;
  readonly bold: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly doubtful: (text: string) => string;
}

export function makeUi(io: Io, json: boolean): Ui {
  const paint = (code: number) => (text: string) => (hasColour(io) && !json ? `\u001b[${code}m${text}\u001b[0m` : text);
  const print = (document: JsonObject, lines: string[], indent: number): void => {
    io.stdout(json ? `${jsonText(document, indent)}\n` : lines.map((line) => `${line}\n`).join(""));
  };
  return {
    result: (document, lines) => {
      print(document, lines, 2);
    },
    announce: (document, lines) => {
      print(document, lines, 0);
    },
    progress: (line) => {
      io.stderr(`${line}\n`);
    },
    warn: (line, hint = "") => {
      io.stderr(`warning: ${line}\n${hint === "" ? "" : `hint: ${hint}\n`}`);
    },
    bold: paint(1),
    good: paint(32),
    bad: paint(31),
    doubtful: paint(33),
  };
}

/** Rows of equal length, aligned in columns two spaces apart. */
export function table(rows: string[][]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, visibleLength(cell));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + " ".repeat(widths[i]! - visibleLength(cell))))
      .join("  ")
      .trimEnd(),
  );
}

/** `1 package`, `2 packages`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

// JSON has escapes of its own for what a terminal must not see.
function jsonText(document: JsonObject, indent: number): string {
  return JSON.stringify(document, null, indent).replace(/[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

// oxlint-disable-next-line no-control-regex -- the colours above are made of them
const COLOUR = /\u001b\[\d+m/g;

function visibleLength(cell: string): number {
  return cell.replace(COLOUR, "").length;
}

function hasColour(io: Io): boolean {
  return io.isTerminal.stdout && io.isTerminal.stderr && (io.env["NO_COLOR"] ?? "") === "";
}
