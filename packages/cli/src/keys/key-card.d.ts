import type { EnrolledKey } from "./key-store.ts";
/** One line of a key card: what the writer of a claim needs to know of a key. */
export interface CardKey {
    holder: string;
    /** The key record [K-1]. */
    record: string;
    fingerprint: string;
    attestation?: {
        format: string;
        object: string;
    };
}
/** The lines of a key card. */
export declare function encodeCard(keys: EnrolledKey[]): string[];
/** Reads a key card. Throws `CARD_MALFORMED` and what the system throws. */
export declare function readCard(path: string): CardKey[];
