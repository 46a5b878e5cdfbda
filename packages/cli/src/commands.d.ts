import type { Command } from "./command.ts";
/** A line of the table of commands; the command itself is loaded when it is called. */
export interface CommandEntry {
    readonly name: string;
    readonly summary: string;
    load(): Promise<Command>;
}
export declare const COMMANDS: readonly CommandEntry[];
/** The help of a group of commands, as `key`. */
export declare function commandHelp(group: readonly CommandEntry[]): string[];
