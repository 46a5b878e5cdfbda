import type { Io } from "./io.ts";
/** Runs one command line (without `node` and the program's name) and gives the exit code. Never throws. */
export declare function run(argv: readonly string[], io: Io): Promise<number>;
