/** A key that was enrolled here. Nothing of it is secret: without the security key it signs nothing. */
export interface EnrolledKey {
    holder: string;
    /** The key record [K-1]. */
    key: string;
    fingerprint: string;
    /** Base64. */
    credentialId: string;
    /** Where it was enrolled, as `--device` takes it. */
    device: string;
    /** What the key calls itself; AAGUID in hex. */
    model: {
        name: string;
        aaguid: string;
    };
    /** Enrolled with `--uv`: its signatures are made with PIN or fingerprint. */
    userVerification: boolean;
    attestation: {
        format: string;
        object: string;
    };
}
/** The keys in `keys.json` of the Touchmark home, in the order of their enrolment. Throws `KEYS_MALFORMED`. */
export declare function readKeys(home: string): EnrolledKey[];
/** Remembers one more key. */
export declare function addKey(home: string, key: EnrolledKey): Promise<void>;
