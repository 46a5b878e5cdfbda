import type { AuthorityDraft } from "@touchmark/core";
import { readAdoption, readCommitteeId, readFingerprint } from "../authority/edit-authority.ts";
import { type Context, usageError, type Values } from "../command.ts";
import type { CardKey } from "../keys/key-card.ts";
import { readCards, refuseTwice } from "../keys/read-cards.ts";

/** Who is to hold something from the beginning: of a claim, a committee, a candidate for an adoption. */
export const AUTHORITY_FLAGS = {
  key: { value: "CARD", many: true, help: "a key card of a holder" },
  threshold: { value: "M", help: "how many holders a release needs" },
  "change-threshold": {
    value: "C",
    help: "how many holders a change of this needs; the greater of M and a majority when left out",
  },
  "recovery-key": { value: "CARD", many: true, help: "a key card of keys that only recover" },
  "recovery-threshold": { value: "N", help: "how many of their holders a recovery needs" },
  successor: { value: "FINGERPRINT", many: true, help: "a key that may adopt it later without committees" },
  expedite: { value: "COMMITTEE", help: "a committee that may stand in for one holder of a release" },
  uv: { help: "every signature needs PIN or fingerprint" },
  "device-bound": { help: "no passkeys that can be copied" },
  adoption: {
    value: "MODE",
    help: "whether others may adopt the package when it is orphaned: ask (the default), open or never",
  },
} as const;

export type AuthorityWishes = Values<typeof AUTHORITY_FLAGS>;

/** The authority that was asked for. What the rules say of it is found out when the statement is parsed. Throws `USAGE`, `CARD_MALFORMED`. */
export function newAuthority(wishes: AuthorityWishes, command: string, context: Context): AuthorityDraft {
  if (wishes.key.length === 0)
    throw usageError(command, "--key is missing.", "A holder makes a card with: touchmark key export --out FILE");
  const keys = readCards(wishes.key, context);
  const recoveryKeys = readCards(wishes["recovery-key"], context);
  refuseTwice([...keys, ...recoveryKeys], command);
  const adoption = readAdoption(wishes.adoption, command) ?? "ask";
  if (wishes.threshold === undefined) throw usageError(command, "--threshold is missing.");
  if ((recoveryKeys.length === 0) !== (wishes["recovery-threshold"] === undefined))
    throw usageError(command, "--recovery-key and --recovery-threshold go together.");
  const change = wishes["change-threshold"];
  return {
    keys,
    releaseThreshold: readThreshold("threshold", wishes.threshold, keys, command),
    ...(change === undefined ? {} : { changeThreshold: readThreshold("change-threshold", change, keys, command) }),
    ...(wishes["recovery-threshold"] === undefined
      ? {}
      : {
          recovery: {
            threshold: readThreshold("recovery-threshold", wishes["recovery-threshold"], recoveryKeys, command),
            keys: recoveryKeys,
          },
        }),
    successors: wishes.successor.map((one) => readFingerprint(one, "successor", command)),
    adoption,
    ...(wishes.expedite === undefined ? {} : { expedite: readCommitteeId(wishes.expedite, "expedite", command) }),
    userVerification: wishes.uv,
    deviceBound: wishes["device-bound"],
  };
}

/** A threshold as typed: 1 to the number of holders. Throws `USAGE`. */
export function readThreshold(flag: string, text: string, keys: readonly CardKey[], command: string): number {
  const holders = new Set(keys.map(({ holder }) => holder)).size;
  const number = /^[1-9]\d?$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= holders) return number;
  throw usageError(command, `--${flag} is not a whole number from 1 to ${holders}, the number of holders.`);
}
