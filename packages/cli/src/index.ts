// The command line as a function: arguments and the world in, an exit code out.
export type { Io } from "./io.ts";
export { run } from "./run.ts";
