import type { Integrity } from "../npm/integrity.ts";

/** What the policy says of one version or one tarball. `line` is for reports ("signed by alice and bob"). */
export type Decision =
  | { allow: true; line: string }
  | {
      allow: false;
      code: string;
      reason: string;
      hint: string;
      /** It could not be checked, which is not the same as bad. */ unchecked?: boolean;
    };

/** A version as the registry offers it. */
export interface OfferedVersion {
  version: string;
  integrity: Integrity;
  tarballUrl: string;
  /** ISO 8601 as the registry says it; abbreviated documents have none. */
  publishTime: string | undefined;
}

export interface TarballDigests {
  /** Of the .tgz, hex. */
  sha512: string;
  /** Of the tar in it, hex. */
  tarSha512: string;
}

/** The gate's judge. A version without a decision is refused, and so is everything if one of these throws. */
export interface Decide {
  decideVersions(
    name: string,
    registry: string,
    versions: readonly OfferedVersion[],
  ): Promise<ReadonlyMap<string, Decision>>;
  decideTarball(name: string, registry: string, version: string, digests: TarballDigests): Promise<Decision>;
}

/** Something that the gate did not let through. */
export interface Refusal {
  /** What was asked for: one version offered, a whole package, a tarball, or a request of another kind. */
  what: "version" | "package" | "tarball" | "request";
  name: string;
  version: string | undefined;
  code: string;
  /** One sentence, cleaned. */
  reason: string;
  hint: string;
  /** True if this is "could not check". */
  unchecked: boolean;
}

export type GateEvent =
  | { kind: "packument"; name: string; offered: number; refused: number }
  | { kind: "tarball"; name: string; version: string; line: string };
