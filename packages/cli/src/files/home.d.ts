import type { Io } from "../io.ts";
/** The Touchmark home: `TOUCHMARK_HOME`, else `~/.touchmark`. */
export declare function touchmarkHome(io: Io): string;
