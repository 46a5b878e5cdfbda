import { encodePackageId, isVersion, type Reason, type Verdict } from "@touchmark/core";
import {
  fetchEvidence,
  type LogEndpoint,
  LogError,
  type NotePair,
  parseEvidence,
  type SignedCheckpoint,
} from "@touchmark/log";
import { checkLockfile, type LockfileVerdict, neededEvidence } from "./check-lockfile.ts";
import { withCommittees } from "./evidence/ask-committees.ts";
import { type PackageChecker, packageChecker } from "./evidence/check-package.ts";
import { type Companion, companionCheckpoint, encodeCompanion } from "./evidence/companion.ts";
import type { Pin } from "./evidence/pin.ts";
import { reasonOf, trustEvidence, type TrustedEvidence } from "./evidence/trust-evidence.ts";
import type { Lockfile } from "./npm/lockfile.ts";
import { type Policy, ruleFor } from "./policy/policy.ts";

/** What a session needs from outside. */
export interface SessionOptions {
  policy: Policy;
  /** `touchmark.lock`, if there is one. */
  companion: Companion | null;
  log: LogEndpoint;
  /** Checkpoints of the log that this user has seen; that in `touchmark.lock` counts without being named here. */
  seen: SignedCheckpoint[];
  /** The newest one that this very `touchmark.lock` has held [V-5]. None if left out. */
  held?: SignedCheckpoint[];
  /** False where nobody reads a warning [V-6]. True if left out. */
  attended?: boolean;
  /** The clock, in seconds. */
  now: () => number;
  /** Called with each newer checkpoint that was verified, to be remembered. */
  onCheckpoint: (checkpoint: SignedCheckpoint) => void;
  /** Called when the log showed two histories. */
  onFork: (notes: NotePair) => void;
}

/** A version to be decided on, by name in a registry of the policy; `sha512` is hex. */
export interface VersionQuestion {
  registry: string;
  name: string;
  version: string;
  sha512: string;
  tarSha512?: string;
}

/** One install: everything it asks is answered from evidence that was fetched and verified during it. */
export interface InstallSession {
  /** The verdicts on a lockfile. When the log can't be reached, those by `touchmark.lock` alone, with a note. */
  checkLockfile(lockfile: Lockfile): Promise<LockfileVerdict>;
  /** The verdicts on versions of one package, in their order. */
  checkVersions(questions: VersionQuestion[]): Promise<Verdict[]>;
  /** The bytes of the new `touchmark.lock` for a lockfile that was accepted, or null when the log could not be reached. */
  companionFor(lockfile: Lockfile): Promise<Uint8Array | null>;
}

const GATHER = 8; // milliseconds in which questions about several packages become one request

/** Begins an install's session. Throws `COMPANION_MALFORMED` if `touchmark.lock` is of another log. */
export function installSession(options: SessionOptions): InstallSession {
  const { policy } = options;
  const pins = options.companion?.pins ?? new Map<string, Pin>();
  const checkers = new Map<string, { checker: PackageChecker | Reason; versions: Set<string> }>();
  const { held = [], attended = true } = options;
  // What the log has shown in this session; until then what it has to extend.
  let shown: SignedCheckpoint[] = [];
  const before = [...options.seen, ...held];
  if (options.companion) before.push(companionCheckpoint(options.companion, policy.log.key));

  const trust = async (bundle: Companion["evidence"], log: LogEndpoint | null): Promise<TrustedEvidence> => {
    const online = shown.length > 0 ? shown : before;
    const against = log ? { seen: online } : { seen: [...held, ...shown], elsewhere: options.seen };
    const trusted = await trustEvidence(bundle, { policy, now: options.now(), log, attended, ...against });
    if (trusted.ok) {
      if (log) shown = [trusted.evidence.checkpoint];
      options.onCheckpoint(trusted.evidence.checkpoint);
    } else if (trusted.fork) {
      options.onFork(trusted.fork);
    }
    return trusted;
  };

  const fetchTrusted = async (packages: Record<string, string[]>): Promise<Fetched> => {
    try {
      const bundle = parseEvidence(await fetchEvidence(options.log, withCommittees(policy, packages)));
      const trusted = await trust(bundle, options.log);
      return trusted.ok
        ? { bundle, checker: packageChecker(policy, pins, trusted.evidence), warnings: trusted.warnings }
        : { bundle: null, checker: trusted.reason, warnings: [] };
    } catch (error) {
      if (error instanceof LogError) return { bundle: null, checker: reasonOf(error), warnings: [] };
      throw error;
    }
  };

  const keep = (packages: Record<string, string[]>, checker: PackageChecker | Reason): void => {
    for (const [packageId, versions] of Object.entries(packages))
      checkers.set(packageId, { checker, versions: new Set(versions) });
  };

  const byCompanion = async (lockfile: Lockfile, unreachable: Reason): Promise<LockfileVerdict> => {
    if (options.companion === null) return checkLockfile(lockfile, policy, unreachable);
    const trusted = await trust(options.companion.evidence, null);
    const checker = trusted.ok ? packageChecker(policy, pins, trusted.evidence) : trusted.reason;
    keep(neededEvidence(lockfile, policy), checker);
    const verdict = checkLockfile(lockfile, policy, checker);
    return { ...verdict, notes: [...verdict.notes, unreachable] };
  };

  const gather = gatherRequests(async (packages) => {
    keep(packages, (await fetchTrusted(packages)).checker);
  });

  return {
    checkLockfile: async (lockfile) => {
      const needed = neededEvidence(lockfile, policy);
      const { checker, warnings } = await fetchTrusted(needed);
      if ("code" in checker && checker.code === "LOG_UNREACHABLE") return byCompanion(lockfile, checker);
      keep(needed, checker);
      const verdict = checkLockfile(lockfile, policy, checker);
      return { ...verdict, notes: [...verdict.notes, ...warnings] };
    },
    checkVersions: async (questions) => {
      const [first] = questions;
      if (!first) return [];
      const packageId = encodePackageId(first);
      const versions = questions.map(({ version }) => version).filter(isVersion);
      const known = checkers.get(packageId);
      if (!known || versions.some((version) => !known.versions.has(version))) {
        await gather(packageId, [...(known?.versions ?? []), ...versions]);
      }
      const { checker } = checkers.get(packageId)!;
      return questions.map((question) => judge(policy, checker, packageId, question));
    },
    companionFor: async (lockfile) => {
      const needed = neededEvidence(lockfile, policy);
      const { bundle, checker } = await fetchTrusted(needed);
      if (bundle === null || "code" in checker) return null;
      return encodeCompanion({
        pins: pinsFor(checkLockfile(lockfile, policy, checker), checker, pins),
        evidence: bundle,
      });
    },
  };
}

/** [E-9]: a pin moves only with a package that was accepted; of what is merely observed the old one stays. */
function pinsFor(
  { verdicts }: LockfileVerdict,
  checker: PackageChecker,
  before: ReadonlyMap<string, Pin>,
): Map<string, Pin> {
  const pins = new Map<string, Pin>();
  for (const { packageId, status } of verdicts) {
    if (packageId === null) continue;
    const pin = status === "accepted" ? checker.pinOf(packageId) : before.get(packageId);
    if (pin) pins.set(packageId, pin);
  }
  return pins;
}

interface Fetched {
  bundle: Companion["evidence"] | null;
  checker: PackageChecker | Reason;
  warnings: Reason[];
}

function judge(
  policy: Policy,
  checker: PackageChecker | Reason,
  packageId: string,
  question: VersionQuestion,
): Verdict {
  const { name, version, sha512, tarSha512 } = question;
  if (!("code" in checker))
    return checker.check({ packageId, version, sha512, ...(tarSha512 === undefined ? {} : { tarSha512 }) });
  const enforced = ruleFor(policy, name).level !== "observe";
  return { packageId, name, version, status: "unchecked", basis: null, signers: [], enforced, reasons: [checker] };
}

/** Turns questions that come within a few milliseconds into one request; requests follow one another, so that checkpoints only grow. */
function gatherRequests(
  send: (packages: Record<string, string[]>) => Promise<void>,
): (packageId: string, versions: string[]) => Promise<void> {
  let waiting = new Map<string, Set<string>>();
  let next: Promise<void> | null = null;
  let last: Promise<void> = Promise.resolve();
  const flush = async (before: Promise<void>): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, GATHER));
    await before;
    const packages = Object.fromEntries([...waiting].map(([packageId, versions]) => [packageId, [...versions]]));
    waiting = new Map();
    next = null;
    await send(packages);
  };
  return (packageId, versions) => {
    const wanted = waiting.get(packageId) ?? new Set();
    for (const version of versions) wanted.add(version);
    waiting.set(packageId, wanted);
    if (next === null) {
      next = flush(last);
      last = next.catch(() => undefined);
    }
    return next;
  };
}
