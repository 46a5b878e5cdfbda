import { type Policy } from "@touchmark/verify";
import type { Io } from "../io.ts";
import type { Ui } from "../ui.ts";
/** Version and hex SHA-512 of each, in byte order of the versions [S-15]. */
export type EarlierVersions = [version: string, sha512: string][];
/**
 * The versions of a package that its registry has today. A version for which the registry gives no sha512 is downloaded and hashed.
 * Throws `NOT_PUBLISHED`, `REGISTRY_ANSWER`, and what the network throws.
 */
export declare function fetchEarlierVersions(packageId: string, policy: Policy, io: Io, ui: Ui): Promise<EarlierVersions>;
