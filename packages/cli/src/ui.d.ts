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
export declare function makeUi(io: Io, json: boolean): Ui;
/** Rows of equal length, aligned in columns two spaces apart. */
export declare function table(rows: string[][]): string[];
/** `1 package`, `2 packages`. */
export declare function count(number: number, thing: string): string;
