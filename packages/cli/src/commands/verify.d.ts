import { type Command } from "../command.ts";
export declare const LOCKFILE_FLAGS: {
    readonly online: {
        readonly help: "ask the log now instead of relying on touchmark.lock";
    };
    readonly lockfile: {
        readonly value: "FILE";
        readonly help: "the lockfile, with touchmark.lock beside it; package-lock.json when left out";
    };
};
export declare const verify: Command;
