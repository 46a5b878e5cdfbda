import type { StatementFile } from "./statement-file.ts";
/** What was asked for on the command line and so must be in the file as well. */
export interface Insisted {
    bases: boolean;
    source: boolean;
}
/**
 * A signature file that is there already must be about the very bytes at hand, no more and no fewer. Its base and source are
 * those of whoever drafted it, unless this signer names them too. Throws `OTHER_BYTES`, `OTHER_STATEMENT`.
 */
export declare function checkSameRelease(found: StatementFile, drafted: StatementFile, file: string, insisted: Insisted): void;
