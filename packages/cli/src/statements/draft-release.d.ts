/** A tarball at hand, and the release that it would be. */
export interface HeldTarball {
    path: string;
    releaseId: string;
    name: string;
    version: string;
    sha512: string;
    tarSha512: string;
}
export interface DraftOptions {
    origin: string;
    /** `--base`, as typed: a version, or `NAME@VERSION` where there are several tarballs. */
    bases: readonly string[];
    source: {
        repository: string;
        commit: string;
    } | undefined;
}
/** Reads a tarball and names its release by the registry's name in the policy. Throws VerifyError and what the system throws. */
export declare function readHeldTarball(path: string, registry: string): Promise<HeldTarball>;
/** The payload of a release of these tarballs. */
export declare function draftRelease(tarballs: HeldTarball[], { origin, bases, source }: DraftOptions): Uint8Array;
