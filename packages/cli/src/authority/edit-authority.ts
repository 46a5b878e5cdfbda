import {
  type Authority,
  type AuthorityDraft,
  encodeBase64,
  type Details,
  type HeldKey,
  isCommitteeId,
  isFingerprint,
  isPackagePattern,
  type Power,
} from "@touchmark/core";
import { type Context, usageError, type Values } from "../command.ts";
import type { CardKey } from "../keys/key-card.ts";
import { readCards } from "../keys/read-cards.ts";

type DraftKey = AuthorityDraft["keys"][number];

/** How an authority that is there becomes another one. */
export const EDIT_FLAGS = {
  "add-key": { value: "CARD", many: true, help: "a key card of a holder; every key on it has to sign" },
  "remove-key": { value: "FINGERPRINT", many: true, help: "leave this key out" },
  "remove-holder": { value: "LABEL", many: true, help: "leave out all keys of a holder" },
  threshold: { value: "M", help: "how many holders a release needs" },
  "change-threshold": { value: "C", help: "how many holders a change needs" },
  "recovery-key": {
    value: "CARD",
    many: true,
    help: "a key card of keys that only recover, beside those that are there",
  },
  "recovery-threshold": { value: "N", help: "how many of their holders a recovery needs" },
  "no-recovery": { help: "no recovery keys any more" },
  successor: { value: "FINGERPRINT", many: true, help: "a key that may adopt the package without committees" },
  "no-successors": { help: "no successors any more" },
  adoption: { value: "MODE", help: "ask, open or never" },
  expedite: { value: "COMMITTEE", help: "a committee that may stand in for one holder of a release; none for nobody" },
  uv: { help: "every signature needs PIN or fingerprint" },
  "no-uv": { help: "no signature needs PIN or fingerprint" },
  "device-bound": { help: "no passkeys that can be copied" },
  "no-device-bound": { help: "passkeys may be copied" },
} as const;

/** What a committee or a log says beside its authority. */
export const DETAILS_FLAGS = {
  scope: { value: "PATTERN", many: true, help: "packages that the committee is for: a name, @scope/* or *" },
  power: { value: "POWER", many: true, help: "what it may do: adopt, endorse, expedite, hold or review" },
  "term-days": { value: "DAYS", help: "for how long it has these powers, 1 to 1096 days" },
  committee: { value: "ID", many: true, help: "of a log: a committee that it takes adoptions and endorsements from" },
} as const;

type Edits = Omit<Values<typeof EDIT_FLAGS>, "uv"> & { uv?: boolean };

/** The authority after what was asked for. What the rules say of it is found out when the statement is parsed. Throws `USAGE`, `CARD_MALFORMED`. */
export function editAuthority(before: Authority, edits: Edits, command: string, context: Context): AuthorityDraft {
  const added = readCards(edits["add-key"], context).map(draftCard);
  const recovering = readCards(edits["recovery-key"], context).map(draftCard);
  for (const key of [...readCards(edits["add-key"], context), ...readCards(edits["recovery-key"], context)])
    if (listed(before).some(({ fingerprint }) => fingerprint === key.fingerprint))
      throw usageError(command, `The authority lists that key of ${key.holder} already: ${key.fingerprint}.`);
  for (const fingerprint of edits["remove-key"]) requireListed(before, fingerprint, command);
  const keys = [...withoutThose(before.keys, edits).map(draftKey), ...added];
  const holders = new Set(keys.map(({ holder }) => holder)).size;
  const m = edits.threshold === undefined ? before.releaseThreshold : number(edits.threshold, "threshold", command);
  const least = Math.max(m, Math.floor(holders / 2) + 1);
  const c =
    edits["change-threshold"] === undefined
      ? Math.min(Math.max(before.changeThreshold, least), Math.max(holders, least))
      : number(edits["change-threshold"], "change-threshold", command);
  const recovery = editRecovery(before, recovering, edits, command);
  const successors = edits["no-successors"] ? [] : [...new Set([...before.successors, ...edits.successor])];
  const expedite = edits.expedite === undefined ? before.expedite : edits.expedite === "none" ? null : edits.expedite;
  return {
    keys,
    releaseThreshold: m,
    changeThreshold: c,
    ...(recovery === null ? {} : { recovery }),
    successors: successors.map((one) => readFingerprint(one, "successor", command)),
    adoption: readAdoption(edits.adoption, command) ?? before.adoption,
    userVerification: edits["no-uv"] ? false : edits.uv === true || before.userVerification,
    deviceBound: edits["no-device-bound"] ? false : edits["device-bound"] || before.deviceBound,
    ...(expedite === null ? {} : { expedite: readCommitteeId(expedite, "expedite", command) }),
  };
}

/** What a committee or a log says of itself, after what was asked for; null for a package. */
export function editDetails(
  subjectId: string,
  before: Details,
  edits: Values<typeof DETAILS_FLAGS>,
  command: string,
): Details {
  const { scope, power, committee } = edits;
  const term = edits["term-days"];
  const kind = subjectId.slice(0, subjectId.indexOf(":"));
  if (kind !== "committee" && (scope.length > 0 || power.length > 0 || term !== undefined))
    throw usageError(command, "--scope, --power and --term-days are for committees.");
  if (kind !== "log" && committee.length > 0) throw usageError(command, "--committee is for a log.");
  if (kind === "log")
    return {
      kind: "charter",
      committees: (committee.length > 0 ? committee : before?.kind === "charter" ? before.committees : []).map((id) =>
        readCommitteeId(id, "committee", command),
      ),
    };
  if (kind !== "committee") return null;
  const old = before?.kind === "committee" ? before : null;
  for (const pattern of scope)
    if (!isPackagePattern(pattern)) throw usageError(command, "--scope is no name, @scope/* or *.");
  for (const one of power)
    if (!POWERS.has(one)) throw usageError(command, `--power is none of ${[...POWERS].join(", ")}.`);
  return {
    kind: "committee",
    scope: scope.length > 0 ? [...new Set(scope)] : (old?.scope ?? ["*"]),
    powers: power.length > 0 ? ([...new Set(power)] as Power[]) : (old?.powers ?? []),
    termDays: term === undefined ? (old?.termDays ?? 365) : number(term, "term-days", command),
  };
}

/** An authority as a draft, to be changed. */
export function draftOf(authority: Authority): AuthorityDraft {
  const { recovery, expedite } = authority;
  return {
    keys: authority.keys.map(draftKey),
    releaseThreshold: authority.releaseThreshold,
    changeThreshold: authority.changeThreshold,
    ...(recovery ? { recovery: { threshold: recovery.threshold, keys: recovery.keys.map(draftKey) } } : {}),
    successors: authority.successors,
    adoption: authority.adoption,
    userVerification: authority.userVerification,
    deviceBound: authority.deviceBound,
    ...(expedite === null ? {} : { expedite }),
  };
}

export function draftCard({ holder, record, attestation }: CardKey): DraftKey {
  return { holder, record, ...(attestation && { attestation }) };
}

export function readAdoption(text: string | undefined, command: string): Authority["adoption"] | undefined {
  if (text === undefined || text === "ask" || text === "open" || text === "never") return text;
  throw usageError(command, "--adoption is not ask, open or never.");
}

export function readFingerprint(text: string, flag: string, command: string): string {
  if (isFingerprint(text)) return text;
  throw usageError(
    command,
    `--${flag} is no fingerprint.`,
    "It is SHA256: and 43 characters; touchmark key list shows it.",
  );
}

export function readCommitteeId(text: string, flag: string, command: string): string {
  if (isCommitteeId(text)) return text;
  throw usageError(command, `--${flag} is no committee.`, "It is committee:<id>.");
}

const POWERS = new Set<string>(["adopt", "endorse", "expedite", "hold", "review"]);

function editRecovery(
  before: Authority,
  added: DraftKey[],
  edits: Edits,
  command: string,
): { threshold: number; keys: DraftKey[] } | null {
  if (edits["no-recovery"]) return null;
  const kept = before.recovery ? withoutThose(before.recovery.keys, edits).map(draftKey) : [];
  const keys = [...kept, ...added];
  if (keys.length === 0) return null;
  const asked = edits["recovery-threshold"];
  if (asked === undefined && before.recovery === null)
    throw usageError(command, "--recovery-key and --recovery-threshold go together.");
  const threshold = asked === undefined ? before.recovery!.threshold : number(asked, "recovery-threshold", command);
  return { threshold, keys };
}

function withoutThose(keys: readonly HeldKey[], edits: Edits): HeldKey[] {
  return keys.filter(
    ({ holder, fingerprint }) => !edits["remove-key"].includes(fingerprint) && !edits["remove-holder"].includes(holder),
  );
}

function listed({ keys, recovery }: Authority): HeldKey[] {
  return [...keys, ...(recovery?.keys ?? [])];
}

function requireListed(authority: Authority, fingerprint: string, command: string): void {
  readFingerprint(fingerprint, "remove-key", command);
  if (listed(authority).some((key) => key.fingerprint === fingerprint)) return;
  throw usageError(command, `The authority lists no key ${fingerprint}.`, "touchmark authority show lists them.");
}

function draftKey({ holder, key, attestation }: HeldKey): DraftKey {
  if (attestation === null) return { holder, record: key.record };
  const { format, object, clientData } = attestation;
  const encoded = {
    format,
    object: encodeBase64(object),
    ...(clientData && { clientData: encodeBase64(clientData) }),
  };
  return { holder, record: key.record, attestation: encoded };
}

function number(text: string, flag: string, command: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw usageError(command, `--${flag} is not a whole number from 1 on.`);
}
