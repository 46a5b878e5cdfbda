// [V-30] to [V-34]: which of a statement's signatures count for whoever has this policy.
import {
  type Authority,
  countHolders,
  FLAG_BE,
  FLAG_BS,
  FLAG_UV,
  type HeldKey,
  type Reason,
  type ReasonCode,
  type SignedStatement,
  type Signer,
} from "@touchmark/core";
import type { AttestationJudge, KeyAttestation, KeyDemands } from "../policy/key-demands.ts";

/** Signatures that were verified, and the authority under which they are counted. */
export interface Countable {
  authority: Authority;
  /** How many distinct holders it takes. */
  needed: number;
  signers: SignedStatement["signers"];
  /** Log time of the entry in which the authority stands, seconds. */
  authorityTime: number;
}

/** The holders whose signatures count, or why they are too few. */
export type SignatureCount =
  | { ok: true; holders: string[] }
  | { ok: false; status: "rejected" | "unchecked"; reasons: Reason[] };

/** Counts a statement's signatures anew under the demands of a policy. `judge` is null where nobody can judge attestations. */
export function countSignatures(
  { authority, needed, signers, authorityTime }: Countable,
  demands: KeyDemands,
  judge: AttestationJudge | null,
): SignatureCount {
  if (demands.attested && judge === null) return { ok: false, status: "unchecked", reasons: [nobodyToJudge()] };
  const listed = new Map(authority.keys.map((key) => [key.fingerprint, key]));
  const counted: HeldKey[] = [];
  const refused: Reason[] = [];
  for (const signer of signers === "vouched" ? [] : signers) {
    const key = listed.get(signer.fingerprint);
    if (key === undefined) continue; // a recovery key signs the claim, and votes on nothing [S-24]
    const faults = [
      ...flagFaults(signer, demands),
      ...(judge === null || !demands.attested ? [] : keyFaults(judge(key, authorityTime), demands)),
    ];
    if (faults.length === 0) counted.push(key);
    refused.push(...faults.map(({ code, message }) => notCounted(key, code, message)));
  }
  const votes = countHolders(counted);
  const holders = [...new Set(counted.map(({ holder }) => holder))].toSorted();
  if (votes >= needed) return { ok: true, holders };
  return { ok: false, status: "rejected", reasons: [tooFew(votes, needed), ...refused] };
}

interface Fault {
  code: ReasonCode;
  message: string;
}

// [K-12], [K-13]
function flagFaults({ flags }: Signer, { userVerification, deviceBound }: KeyDemands): Fault[] {
  const faults: Fault[] = [];
  if (userVerification && (flags & FLAG_UV) === 0)
    faults.push({ code: "KEY_NOT_VERIFIED", message: "it was made without PIN or fingerprint" });
  if (deviceBound && (flags & (FLAG_BE | FLAG_BS)) !== 0)
    faults.push({ code: "KEY_COPYABLE", message: "it was made by a passkey that can be copied" });
  return faults;
}

function keyFaults(attestation: KeyAttestation, { forbidModels, forbidFirmwareBelow }: KeyDemands): Fault[] {
  const { refusals, aaguid, maker, firmware } = attestation;
  if (refusals.length > 0) return [...refusals];
  const faults: Fault[] = [];
  // [P-17]
  if (forbidModels.size > 0 && aaguid === undefined)
    faults.push({ code: "KEY_MODEL_FORBIDDEN", message: "nothing that its maker signed tells which model its key is" });
  else if (aaguid !== undefined && forbidModels.has(aaguid))
    faults.push({
      code: "KEY_MODEL_FORBIDDEN",
      message: `its key is of the model ${aaguid}, which the policy forbids`,
    });
  // [P-18]
  const limit = maker === undefined ? undefined : forbidFirmwareBelow.get(maker);
  if (limit !== undefined && (firmware === undefined || firmware.some((version) => mayBeBelow(version, limit)))) {
    const known = firmware === undefined ? "is not known" : `is ${firmware.join(" or ")}`;
    faults.push({
      code: "KEY_FIRMWARE_FORBIDDEN",
      message: `the firmware of its key ${known}, and the policy wants ${limit} or later`,
    });
  }
  return faults;
}

/** Of a line such as 5.7 nobody knows the last number: it may be 5.7.0. */
function mayBeBelow(version: string, limit: string): boolean {
  const parts = version.split(".").map(Number);
  for (const [index, least] of limit.split(".").map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

function tooFew(votes: number, threshold: number): Reason {
  return {
    code: "THRESHOLD",
    step: "V-30",
    message: `Of the signatures those of ${votes} of ${threshold} holders count: the policy asks more of keys than the others show.`,
    hint: "Ask the holders to sign with other keys; or, for this package alone, give it a rule of its own in touchmark.json.",
  };
}

function notCounted({ holder, fingerprint }: HeldKey, code: ReasonCode, message: string): Reason {
  return {
    code,
    step: "V-34",
    message: `The signature of ${holder} by ${fingerprint} is not counted: ${message}.`,
    hint: "",
  };
}

function nobodyToJudge(): Reason {
  return {
    code: "KEY_UNCHECKED",
    step: "V-33",
    message: "The policy asks for attested keys, and this program cannot check attestations.",
    hint: "Use touchmark verify, which can.",
  };
}
