import { type Authority, type Statement } from "@touchmark/core";
/** What a statement says, for the person who is about to sign it or wants to know. `signers` are labels or fingerprints. */
export declare function describeStatement(statement: Statement, digest: string, signers: string[]): string[];
/** `2 of 3 holders`. */
export declare function describeThreshold(threshold: number, holders: number): string;
/** Names for fingerprints: the holder where a claim lists the key, else the fingerprint itself. */
export declare function holderOf(fingerprint: string, authority: Authority | null): string;
/** What losing keys means, in one sentence. */
export declare function describeLoss(authority: Authority): string;
