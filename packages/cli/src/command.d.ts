import { CliError } from "./error.ts";
import type { Io } from "./io.ts";
import type { Ui } from "./ui.ts";
/** A flag of a command. `value` names what stands after it in the help; a flag without one is a switch. */
export interface Flag {
    readonly help: string;
    readonly value?: string;
    /** May be given more than once. */
    readonly many?: boolean;
}
export type Flags = Readonly<Record<string, Flag>>;
/** What was typed: text, a list, or yes and no, as the flags say. */
export type Values<F extends Flags> = {
    readonly [K in keyof F]: F[K] extends {
        value: string;
        many: true;
    } ? readonly string[] : F[K] extends {
        value: string;
    } ? string | undefined : boolean;
};
/** What every command is given beside its own arguments. */
export interface Context {
    readonly io: Io;
    readonly ui: Ui;
    readonly json: boolean;
    /** `--policy`, as typed. */
    readonly policy: string | undefined;
}
export interface CommandText<F extends Flags> {
    /** What is typed, as in `key enroll`. */
    readonly name: string;
    /** What follows the name: `FILE… [--yes]`. */
    readonly usage: string;
    /** Full command lines; shown first. */
    readonly examples: readonly string[];
    readonly about: readonly string[];
    readonly flags: F;
    /** How many arguments that are no flags. */
    readonly operands: readonly [least: number, most: number];
    /** The exit code. */
    run(values: Values<F>, operands: readonly string[], context: Context): Promise<number>;
}
/** A command, ready to be given its part of the command line. */
export interface Command {
    help(): string[];
    start(args: readonly string[], context: Omit<Context, "policy" | "ui" | "json">, common: Common): Promise<number>;
}
/** The flags that every command takes, as far as they stood before its name; and how to print, once it is known. */
export interface Common {
    readonly json: boolean;
    readonly policy: string | undefined;
    makeUi(json: boolean): Ui;
}
export declare const COMMON_FLAGS: {
    readonly json: {
        readonly help: "one JSON document on standard output instead of text";
    };
    readonly policy: {
        readonly value: "FILE";
        readonly help: "the policy; touchmark.json in the current folder when left out";
    };
    readonly help: {
        readonly help: "this text";
    };
};
/** Makes a command out of its description. */
export declare function defineCommand<const F extends Flags>(text: CommandText<F>): Command;
/** The error for a command line that can't be understood. */
export declare function usageError(command: string, message: string, hint?: string): CliError;
