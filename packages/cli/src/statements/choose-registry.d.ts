import type { Policy } from "@touchmark/verify";
/** The registry whose packages are meant: the policy's only one, or the one named. Throws `REGISTRY_UNKNOWN`. */
export declare function chooseRegistry(policy: Policy, named: string | undefined): string;
