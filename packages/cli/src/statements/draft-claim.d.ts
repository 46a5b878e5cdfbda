import { type AuthorityDraft } from "@touchmark/core";
import type { CardKey } from "../keys/key-card.ts";
import type { EarlierVersions } from "../registry/earlier-versions.ts";
/** The thresholds and wishes of a claim as they were typed. */
export interface ClaimWishes {
    threshold: string | undefined;
    "change-threshold": string | undefined;
    "recovery-threshold": string | undefined;
    uv: boolean;
    "device-bound": boolean;
    adoption: string | undefined;
}
/** The authority that was asked for. What the rules say of it is found out when the claim is parsed. */
export declare function draftAuthority(wishes: ClaimWishes, keys: CardKey[], recoveryKeys: CardKey[]): AuthorityDraft;
/** The payload of a claim of these packages. */
export declare function draftClaim(origin: string, earlier: ReadonlyMap<string, EarlierVersions>, authority: AuthorityDraft): Uint8Array;
/** The list beside a claim, as the log wants to have it with the claim [L-20]. */
export declare function encodeEarlierFile(earlier: ReadonlyMap<string, EarlierVersions>): Uint8Array;
