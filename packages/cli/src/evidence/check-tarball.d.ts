import { type Reason, type Verdict } from "@touchmark/core";
import { type OpenedEvidence, type Policy, type VerifyError } from "@touchmark/verify";
import type { HeldTarball } from "../statements/draft-release.ts";
export interface TarballQuestion {
    tarball: HeldTarball;
    packageId: string;
    /** The signature file beside it, if there is one. */
    envelope: Uint8Array | null;
    policy: Policy;
    evidence: OpenedEvidence | Reason;
    /** Those of `touchmark.lock`. */
    pins: ReadonlyMap<string, string>;
}
/**
 * Whether a tarball's holders have signed it: in the log, or in the signature file beside it as long as it isn't logged. A signature file
 * that is there must be good either way. That nobody claimed the package is no yes here, whatever the policy's level is.
 * `entry` is the index of the release's entry, null if the evidence knows of none.
 */
export declare function checkTarball(question: TarballQuestion): {
    verdict: Verdict;
    entry: number | null;
};
/** The verdict on a tarball that could not be read as one. */
export declare function rejectedTarball(name: string, { message, hint }: VerifyError): Verdict;
