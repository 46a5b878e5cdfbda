import { type JsonObject } from "@touchmark/core";
import { type LockedPackage, type OpenedEvidence, type Policy } from "@touchmark/verify";
/** What is asked about; `version` null for the package as a whole. */
export interface Subject {
    packageId: string;
    name: string;
    version: string | null;
}
/** A part of the answer, for people and for programs. */
export interface Known {
    lines: string[];
    document: JsonObject;
}
/** What a bundle knows of a package and one of its releases. `sha512` is that of the release or of the claim's list, if there is one. */
export declare function explainRelease(subject: Subject, policy: Policy, evidence: OpenedEvidence): Known & {
    sha512: string | null;
};
/** What the policy and the lockfile say of it. */
export declare function explainPolicy({ name, version }: Subject, policy: Policy, locked: LockedPackage | null, pin: string | null): Known;
