import { type AuthorityDraft, encodeClaim, encodeEarlierLeaf, encodeUtf8 } from "@touchmark/core";
import { leafHash, nodeCrypto, rootOfLeaves } from "@touchmark/log";
import { usageError } from "../command.ts";
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
export function draftAuthority(wishes: ClaimWishes, keys: CardKey[], recoveryKeys: CardKey[]): AuthorityDraft {
  const { adoption = "ask" } = wishes;
  if (adoption !== "ask" && adoption !== "open" && adoption !== "never")
    throw usageError("claim", "--adoption is not ask, open or never.");
  if (wishes.threshold === undefined) throw usageError("claim", "--threshold is missing.");
  if ((recoveryKeys.length === 0) !== (wishes["recovery-threshold"] === undefined))
    throw usageError("claim", "--recovery-key and --recovery-threshold go together.");
  const change = wishes["change-threshold"];
  return {
    keys,
    releaseThreshold: readThreshold("threshold", wishes.threshold, keys),
    ...(change === undefined ? {} : { changeThreshold: readThreshold("change-threshold", change, keys) }),
    ...(wishes["recovery-threshold"] === undefined
      ? {}
      : {
          recovery: {
            threshold: readThreshold("recovery-threshold", wishes["recovery-threshold"], recoveryKeys),
            keys: recoveryKeys,
          },
        }),
    adoption,
    userVerification: wishes.uv,
    deviceBound: wishes["device-bound"],
  };
}

/** The payload of a claim of these packages. */
export function draftClaim(
  origin: string,
  earlier: ReadonlyMap<string, EarlierVersions>,
  authority: AuthorityDraft,
): Uint8Array {
  const packages = new Map(
    [...earlier].map(([packageId, versions]) => {
      const leaves = versions.map(([version, sha512]) => leafHash(encodeEarlierLeaf(version, sha512)));
      return [packageId, { previous: null, earlier: { size: versions.length, root: rootOfLeaves(leaves) } }];
    }),
  );
  return encodeClaim(nodeCrypto, { logs: [origin], packages, authority });
}

/** The list beside a claim, as the log wants to have it with the claim [L-20]. */
export function encodeEarlierFile(earlier: ReadonlyMap<string, EarlierVersions>): Uint8Array {
  return encodeUtf8(`${JSON.stringify(Object.fromEntries(earlier))}\n`);
}

function readThreshold(flag: string, text: string, keys: CardKey[]): number {
  const holders = new Set(keys.map(({ holder }) => holder)).size;
  const number = /^[1-9]\d?$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= holders) return number;
  throw usageError("claim", `--${flag} is not a whole number from 1 to ${holders}, the number of holders.`);
}
