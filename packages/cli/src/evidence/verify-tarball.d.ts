import type { Context } from "../command.ts";
export interface TarballFlags {
    online: boolean;
    lockfile: string | undefined;
    registry: string | undefined;
}
/** Checks one tarball: by the log, or by the signature file beside it as long as it isn't logged. The exit code. */
export declare function verifyTarball(file: string, flags: TarballFlags, context: Context): Promise<number>;
