import { dirname, join } from "node:path";
import { describeThreshold, countHolders, type Reason } from "@touchmark/core";
import {
  describeHandover,
  encodeCompanion,
  neededEvidence,
  parseLockfile,
  parsePolicy,
  type Policy,
  registriesOf,
  ruleFor,
} from "@touchmark/verify";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { confirm } from "../confirm.ts";
import { describeTime } from "../evidence/describe-evidence.ts";
import { reasonLines } from "../evidence/describe-verdict.ts";
import type { Subject } from "../evidence/explain-release.ts";
import { underOne } from "../evidence/explain-state.ts";
import { findTransfer, type Transfer, type TransferSigner } from "../evidence/find-transfer.ts";
import { type LoadedEvidence, loadEvidence, rememberOrWarn } from "../evidence/load-evidence.ts";
import { readSubject } from "../statements/read-subject.ts";
import { EXIT } from "../failure.ts";
import { withAuthority } from "../files/edit-policy.ts";
import { lockfilePath } from "../files/lockfile-path.ts";
import { loadCheckingPolicy, policyPath } from "../files/policy-file.ts";
import { readIfThere, readWhole } from "../files/read-file.ts";
import { writeWhole } from "../files/write-file.ts";
import { chooseRegistry } from "../statements/choose-registry.ts";
import { table } from "../ui.ts";

const MAX_LOCKFILE = 64 * 1024 * 1024; // [C-15]
const MAX_POLICY = 1024 * 1024; // [C-15]

export const accept: Command = defineCommand({
  name: "accept",
  usage: "NAME [--yes]",
  examples: ["touchmark accept @acme/widget"],
  about: [
    "A package whose authority changed hands is refused until a person says that it is right. Asks the log what happened, shows it",
    "(who held the package, who holds it now, who signed for that, which committees), and then moves the pin: that of touchmark.lock, and",
    'the package\'s "authority" in touchmark.json where it names the old one. Nothing is written before you have confirmed it.',
  ],
  flags: {
    yes: { help: "don't ask" },
    lockfile: {
      value: "FILE",
      help: "the lockfile, with touchmark.lock beside it; the one that npm goes by when left out",
    },
    registry: { value: "NAME", help: "the registry, where the policy names several" },
  },
  operands: [1, 1],
  run: async ({ yes, lockfile: named, registry }, [typed = ""], context) => {
    const { io, ui } = context;
    const policy = await loadCheckingPolicy(context);
    const subject = readSubject(typed, "accept", () => chooseRegistry(policy, registry));
    if (subject.version !== null) throw usageError("accept", "An authority is that of a package, not of one version.");
    const lockfile = lockfilePath(io, named);
    const loaded = await loadEvidence({ policy, lockfile, ask: askFor(lockfile, subject, policy) }, context);
    const { evidence, pins, warnings } = loaded;
    for (const { message, code, hint } of warnings) ui.warn(`${message} [${code}]`, hint);
    const found = "code" in evidence ? evidence : findTransfer(subject, policy, pins.get(subject.packageId), evidence);
    if (found === null) {
      ui.result({ ok: true, package: subject.packageId, from: null, to: null, written: [] }, [
        `There is nothing to accept: ${subject.packageId} is in the hands that this repository expects.`,
      ]);
      return EXIT.ok;
    }
    if ("code" in found) return refuse(subject, found, context);
    for (const line of transferLines(subject, found)) ui.progress(line);
    const { holders, digest } = { holders: holdersOf(found), digest: found.to.pin.authority };
    const question = `Shall ${subject.packageId} be held to ${holders.join(", ")} from now on?`;
    await confirm(yes, question, "Nothing was written.", context);
    const written = [
      ...(await movePin(lockfile, subject, found, loaded, policy, context)),
      ...(await nameAuthority(subject, found, policy, context)),
    ];
    ui.result(
      {
        ok: true,
        package: subject.packageId,
        from: found.from.digest,
        to: { ...found.to.pin, proof: found.to.pin.proof.join(""), holders },
        handovers: found.handovers.map(({ handover, proposedBy, finishedBy }) => ({
          ...handover,
          proposedBy: proposedBy.map((signer) => ({ ...signer })),
          finishedBy: finishedBy.map((signer) => ({ ...signer })),
        })),
        written,
      },
      [`${subject.packageId} is held to ${digest} from now on.`, `Wrote ${written.join(" and ")}.`],
    );
    return EXIT.ok;
  },
});

/** All that the lockfile needs, since touchmark.lock is written anew, and the package itself. */
function askFor(lockfile: string, { packageId }: Subject, policy: Policy): Record<string, string[]> {
  const bytes = readIfThere(lockfile, MAX_LOCKFILE);
  const needed = bytes === null ? {} : neededEvidence(parseLockfile(bytes, registriesOf(policy)), policy);
  return { ...needed, [packageId]: needed[packageId] ?? [] };
}

function refuse({ packageId }: Subject, reason: Reason, { ui }: Context): number {
  ui.result({ ok: false, package: packageId, reason: { ...reason } }, [packageId, ...reasonLines(reason)]);
  const decided = ["RULE_BROKEN", "NOT_CLAIMED", "CLAIM_PENDING"].includes(reason.code);
  return decided ? EXIT.rejected : EXIT.unchecked;
}

function transferLines({ packageId }: Subject, { from, to, handovers }: Transfer): string[] {
  const { authority } = to.line;
  const happened = handovers.flatMap(({ handover, proposedBy, finishedBy }) => [
    `${describeHandover(handover)}.`,
    `proposed in entry ${handover.proposed} by ${describeSigners(proposedBy)}`,
    `finished in entry ${handover.entry}, ${describeTime(handover.time)}, by ${describeSigners(finishedBy)}`,
  ]);
  const letters = to.pin.proof.length === 0 ? "none" : to.pin.proof.map((letter) => `(${letter})`).join(", ");
  return [
    `The authority of ${packageId} changed hands.`,
    ...table([
      ...underOne("was", [
        from.digest,
        ...(from.authority?.keys ?? []).map(({ holder, fingerprint }) => `${holder}  ${fingerprint}`),
      ]),
      ...underOne("is", [
        authority.digest,
        ...authority.keys.map(({ holder, fingerprint }) => `${holder}  ${fingerprint}`),
      ]),
      ["to release", describeThreshold(authority.releaseThreshold, countHolders(authority.keys))],
      ["epoch", `${to.pin.epoch}, with entry ${to.pin.entry}`],
      ["proofs", letters],
      ...underOne("how", happened.length === 0 ? ["another claim than the one expected is in force"] : happened),
    ]),
  ];
}

function describeSigners(signers: readonly TransferSigner[]): string {
  return signers.map(({ who, fingerprint }) => `${who} (${fingerprint})`).join(", ");
}

function holdersOf({ to }: Transfer): string[] {
  return [...new Set(to.line.authority.keys.map(({ holder }) => holder))];
}

/** [E-9] Where there is a touchmark.lock. */
async function movePin(
  lockfile: string,
  { packageId }: Subject,
  { to }: Transfer,
  { evidence, pins, bundle }: LoadedEvidence,
  policy: Policy,
  context: Context,
): Promise<string[]> {
  const file = join(dirname(lockfile), "touchmark.lock");
  if (bundle === null || "code" in evidence || readIfThere(file, Infinity) === null) return [];
  await writeWhole(file, encodeCompanion({ pins: new Map([...pins, [packageId, to.pin]]), evidence: bundle }));
  rememberOrWarn(evidence.checkpoint, policy, context, file);
  return [file];
}

/** Where touchmark.json names another authority for it. */
async function nameAuthority({ name }: Subject, { to }: Transfer, policy: Policy, context: Context): Promise<string[]> {
  const { authority } = ruleFor(policy, name);
  const line = to.line.steps.map(({ digest }) => digest);
  if (authority === null || line.includes(authority)) return [];
  const file = policyPath(context);
  const text = Buffer.from(readWhole(file, MAX_POLICY)).toString("utf8");
  const edited = withAuthority(text, policy, name, to.pin.authority);
  parsePolicy(Buffer.from(edited, "utf8"), context.io.now());
  await writeWhole(file, edited);
  return [file];
}
