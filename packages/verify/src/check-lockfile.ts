import {
  cleanText,
  encodePackageId,
  isPackageName,
  isVersion,
  type Reason,
  type ReasonCode,
  type Verdict,
  type VerdictStatus,
  worstStatus,
} from "@touchmark/core";
import type { PackageChecker } from "./evidence/check-package.ts";
import { foldPath, type LockedPackage, type Lockfile } from "./npm/lockfile.ts";
import { type Policy, ruleFor } from "./policy/policy.ts";

/** The verdicts on a whole lockfile, in its order. */
export interface LockfileVerdict {
  /** Over all verdicts that are enforced. */
  status: VerdictStatus;
  verdicts: Verdict[];
  /** What concerns no single package: stale evidence, exceptions that nothing needs. */
  notes: Reason[];
}

/** Checks every entry of a lockfile [V-7] to [V-20]. `checker` is a reason where there is no evidence to check with. */
export function checkLockfile(lockfile: Lockfile, policy: Policy, checker: PackageChecker | Reason): LockfileVerdict {
  const verdicts = lockfile.packages.map((locked) => checkLocked(locked, policy, checker));
  const notes = [...("code" in checker ? [] : checker.notes), ...unusedExceptions(policy, verdicts)];
  return { status: worstStatus(verdicts), verdicts, notes };
}

/** The package ids and versions of a lockfile that evidence is needed for [L-21]. */
export function neededEvidence(lockfile: Lockfile, policy: Policy): Record<string, string[]> {
  const needed = new Map<string, Set<string>>();
  for (const locked of lockfile.packages) {
    for (const packageId of otherNames(locked, policy)) needed.set(packageId, needed.get(packageId) ?? new Set());
    const packageId = locked.kind === "registry" ? packageIdOf(locked, policy) : null;
    if (packageId === null || !locked.version || !isVersion(locked.version)) continue;
    const versions = needed.get(packageId) ?? new Set();
    needed.set(packageId, versions.add(locked.version));
  }
  return Object.fromEntries([...needed].map(([packageId, versions]) => [packageId, [...versions]]));
}

function checkLocked(locked: LockedPackage, policy: Policy, checker: PackageChecker | Reason): Verdict {
  const packageId = locked.kind === "registry" ? packageIdOf(locked, policy) : null;
  const version = locked.version ?? "";
  const places = placesOf(locked, policy);
  const enforced = places.some((place) => ruleFor(policy, place).level !== "observe");
  const verdict: Verdict = {
    packageId,
    name: locked.name,
    version,
    status: "rejected",
    basis: null,
    signers: [],
    enforced,
    reasons: [],
  };
  const refusal = checkSource(locked, policy, packageId) ?? checkPlace(locked, places, policy);
  if (refusal) return { ...verdict, reasons: [refusal] };
  const taken = checkNames(otherNames(locked, policy), packageId, checker);
  if (locked.kind !== "registry") return { ...verdict, status: "accepted", basis: basisOf(locked.kind), ...taken };
  if (packageId === null || !locked.integrity.ok) return verdict; // checkSource has refused both
  if ("code" in checker) return { ...verdict, status: "unchecked", reasons: [checker] };
  const checked = { ...checker.check({ packageId, version, sha512: locked.integrity.sha512 }), enforced };
  if (checked.status !== "accepted") return checked;
  if (taken) return { ...checked, basis: null, signers: [], ...taken };
  if (checked.basis !== "unclaimed") return checked;
  const strict = places.find((place) => ruleFor(policy, place).level === "strict");
  if (strict === undefined) return checked;
  return {
    ...checked,
    status: "rejected",
    basis: null,
    reasons: [notThePackage(strict, "is strict"), ...checked.reasons],
  };
}

// [P-4]: what is imported as a name whose authority the policy pins has to be of that authority, whatever it calls itself.
function checkPlace({ name, kind }: LockedPackage, places: string[], policy: Policy): Reason | null {
  if (kind === "workspace" || kind === "link" || kind === "bundled") return null;
  if (!places.every(isPackageName)) return malformedName();
  const own = kind === "registry" ? ruleFor(policy, name).authority : null;
  const taken = places.find((place) => {
    const { authority } = ruleFor(policy, place);
    return authority !== null && authority !== own;
  });
  return taken === undefined ? null : notThePackage(taken, "names an authority");
}

/** The ids of the packages whose name it has and that it isn't, in every registry; none of a name that the policy only observes. */
function otherNames(locked: LockedPackage, policy: Policy): string[] {
  const { kind, aliases, name } = locked;
  if (kind === "workspace" || kind === "link" || kind === "bundled") return [];
  const names = kind === "registry" ? aliases : [name, ...aliases];
  if (names.length === 0 || (kind !== "registry" && !policy.sources[kind === "remote-tarball" ? "remote" : kind]))
    return [];
  return [...policy.registries.keys()].flatMap((registry) =>
    names
      .filter((place) => isPackageName(place) && ruleFor(policy, place).level !== "observe")
      .map((place) => encodePackageId({ registry, name: place })),
  );
}

// [P-24]: under a name that is claimed nothing is taken but what those who hold it hold.
function checkNames(
  names: string[],
  packageId: string | null,
  checker: PackageChecker | Reason,
): Pick<Verdict, "status" | "reasons"> | null {
  if (names.length === 0) return null;
  if ("code" in checker) return { status: "unchecked", reasons: [checker] };
  const own = packageId === null ? null : digestOf(checker.ownerOf(packageId));
  for (const id of names) {
    const owner = checker.ownerOf(id);
    if (owner === null || (own !== null && digestOf(owner) === own)) continue;
    if ("status" in owner && owner.status === "unchecked") return { status: "unchecked", reasons: owner.reasons };
    return { status: "rejected", reasons: [notTheHolders(id)] };
  }
  return null;
}

function digestOf(owner: ReturnType<PackageChecker["ownerOf"]>): string | null {
  return owner !== null && "authority" in owner ? owner.authority.digest : null;
}

function notTheHolders(packageId: string): Reason {
  const name = packageId.slice(packageId.indexOf("/") + 1);
  return refuse(
    "SOURCE_REFUSED",
    "V-7",
    `It is installed as ${name} and is not of the holders of ${packageId}, who have claimed that name.`,
    `Restore the lockfile from git; or, if it is meant to be so, say "level": "observe" in a rule for "${name}" in touchmark.json.`,
  );
}

/** Every name that it may be imported by: its own, its aliases, and what a file system may make of them if the policy has a rule for that. */
function placesOf({ name, aliases }: LockedPackage, policy: Policy): string[] {
  const places = [name, ...aliases];
  const folded = places.map(foldPath).filter((place) => {
    if (places.includes(place)) return false;
    const scope = `${place.slice(0, Math.max(place.indexOf("/"), 0))}/*`;
    return policy.rules.has(place) || policy.rules.has(scope);
  });
  return [...places, ...folded];
}

function notThePackage(place: string, rule: string): Reason {
  const shown = cleanText(place, 214);
  return refuse(
    "SOURCE_REFUSED",
    "V-7",
    `It is installed as ${shown} and is not that package, for which the policy ${rule}.`,
    `Restore the lockfile from git; or, if it is meant to be so, change the rule for "${shown}" in touchmark.json.`,
  );
}

// [V-7], [V-8]
function checkSource(locked: LockedPackage, policy: Policy, packageId: string | null): Reason | null {
  const { kind, integrity } = locked;
  const where = (): string => cleanText(locked.resolved ?? locked.paths[0] ?? "", 120);
  if (kind === "workspace" || kind === "link" || kind === "bundled") return null;
  if (kind === "git" || kind === "file") {
    if (policy.sources[kind]) return null;
    return refuse(
      "SOURCE_REFUSED",
      "V-7",
      `It comes from ${where()}, and the policy takes nothing from ${kind === "git" ? "git" : "the disk"}.`,
      `Allow it with "sources": {"${kind}": "allow"} in touchmark.json.`,
    );
  }
  if (kind === "remote-tarball" && !policy.sources.remote) {
    return refuse(
      "SOURCE_REFUSED",
      "V-7",
      `It comes from ${where()}, which is not an address of a registry in the policy.`,
      'If that is a mirror of a registry, add its address to "registries" in touchmark.json.',
    );
  }
  if (!integrity.ok)
    return refuse(
      integrityCode(integrity.code),
      "V-8",
      `Nothing says which bytes are meant: ${integrity.reason}.`,
      "Write the lockfile anew with npm 7 or later, from a registry that gives sha512.",
    );
  if (kind === "remote-tarball") return null;
  if (!isPackageName(locked.name) || !isVersion(locked.version ?? "")) {
    return malformedName();
  }
  if (packageId === null)
    return refuse(
      "WRONG_ADDRESS",
      "V-7",
      "The lockfile does not say which registry it is from, and the policy names several.",
      "Let npm record addresses: omit-lockfile-registry-resolved=false.",
    );
  if (!locked.addressFits)
    return refuse(
      "WRONG_ADDRESS",
      "V-7",
      `Its address is that of another release: ${where()}`,
      "Somebody changed the lockfile; restore it from git.",
    );
  return null;
}

function packageIdOf(locked: LockedPackage, policy: Policy): string | null {
  const only = policy.registries.size === 1 ? policy.registries.keys().next().value : undefined;
  const registry = locked.registry ?? (locked.resolved === undefined ? only : undefined);
  return registry === undefined || !isPackageName(locked.name)
    ? null
    : encodePackageId({ registry, name: locked.name });
}

function basisOf(kind: LockedPackage["kind"]): Verdict["basis"] {
  if (kind === "workspace" || kind === "link") return "local";
  return kind === "bundled" ? "bundled" : "source";
}

function integrityCode(code: Extract<LockedPackage["integrity"], { ok: false }>["code"]): ReasonCode {
  switch (code) {
    case "INTEGRITY_MISSING":
    case "INTEGRITY_WEAK":
    case "INTEGRITY_AMBIGUOUS":
      return code;
    case "INTEGRITY_MALFORMED":
      return "INTEGRITY_MISSING";
  }
}

// [P-8]
function unusedExceptions(policy: Policy, verdicts: Verdict[]): Reason[] {
  const used = new Set(
    verdicts.filter(({ basis }) => basis === "exception").map(({ packageId, version }) => `${packageId}@${version}`),
  );
  return policy.exceptions
    .filter(({ releaseId }) => !used.has(releaseId))
    .map(({ releaseId }) =>
      refuse(
        "EXCEPTION_UNUSED",
        "V-19",
        `The exception for ${releaseId} is not needed.`,
        "Remove it from touchmark.json.",
      ),
    );
}

function malformedName(): Reason {
  return refuse("NAME_MALFORMED", "V-7", "Its name or version is not a valid one.", "Mend the lockfile.");
}

function refuse(code: ReasonCode, step: string, message: string, hint: string): Reason {
  return { code, step, message, hint };
}
