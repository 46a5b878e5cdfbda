import { type Envelope, type Statement } from "@touchmark/core";
/** A statement on its way from signer to signer: well-formed, with all its signatures good. */
export interface StatementFile {
    envelope: Envelope;
    statement: Statement;
    /** Hex. */
    digest: string;
    /** Fingerprints. */
    signers: string[];
}
/** Reads a `.touchmark` file and verifies every signature in it. Throws `CoreError` and what the system throws. */
export declare function readStatementFile(path: string): StatementFile;
/** As `readStatementFile`; null if there is no such file. */
export declare function readStatementIfThere(path: string): StatementFile | null;
/** A statement that nobody has signed. Throws `CoreError` if the payload is not a valid one. */
export declare function unsignedStatement(payload: Uint8Array): StatementFile;
