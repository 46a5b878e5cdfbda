import type { Command } from "./command.ts";
import { verify } from "./commands/verify.ts";
import { table } from "./ui.ts";

/** A line of the table of commands; the command itself is loaded when it is called. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "npm",
    summary: "run npm behind the gate, refusing what isn't signed",
    load: async () => (await import("./commands/npm.ts")).npm,
  },
  {
    name: "verify",
    summary: "check the lockfile, or a tarball",
    load: () => Promise.resolve(verify), // it is in the same file when built
  },
  {
    name: "explain",
    summary: "everything that is known of one release",
    load: async () => (await import("./commands/explain.ts")).explain,
  },
  {
    name: "accept",
    summary: "go on with a package whose authority changed hands",
    load: async () => (await import("./commands/accept.ts")).accept,
  },
  {
    name: "init",
    summary: "write a touchmark.json",
    load: async () => (await import("./commands/init.ts")).init,
  },
  {
    name: "key enroll",
    summary: "enrol a security key",
    load: async () => (await import("./commands/key-enroll.ts")).keyEnroll,
  },
  {
    name: "key list",
    summary: "the enrolled keys, and those plugged in",
    load: async () => (await import("./commands/key-list.ts")).keyList,
  },
  {
    name: "key add-backup",
    summary: "enrol a second key of a holder",
    load: async () => (await import("./commands/key-add-backup.ts")).keyAddBackup,
  },
  {
    name: "key info",
    summary: "what is known of the keys plugged in",
    load: async () => (await import("./commands/key-info.ts")).keyInfo,
  },
  {
    name: "key test",
    summary: "sign a throw-away message and check it",
    load: async () => (await import("./commands/key-test.ts")).keyTest,
  },
  {
    name: "key remove",
    summary: "forget a key",
    load: async () => (await import("./commands/key-remove.ts")).keyRemove,
  },
  {
    name: "key pin",
    summary: "set or change a key's PIN",
    load: async () => (await import("./commands/key-pin.ts")).keyPin,
  },
  {
    name: "key export",
    summary: "the key card, for whoever writes the claim; or a key for OpenSSH",
    load: async () => (await import("./commands/key-export.ts")).keyExport,
  },
  {
    name: "key import",
    summary: "take over a key from OpenSSH",
    load: async () => (await import("./commands/key-import.ts")).keyImport,
  },
  {
    name: "key page",
    summary: "the page on which browsers sign, for a team's own domain",
    load: async () => (await import("./commands/key-page.ts")).keyPage,
  },
  {
    name: "claim",
    summary: "write a claim: whose keys a package's releases need",
    load: async () => (await import("./commands/claim.ts")).claim,
  },
  {
    name: "claim prove",
    summary: "prove a claim by a published version, or name evidence",
    load: async () => (await import("./commands/claim-prove.ts")).claimProve,
  },
  {
    name: "sign",
    summary: "sign a release or a claim with a touch",
    load: async () => (await import("./commands/sign.ts")).sign,
  },
  {
    name: "submit",
    summary: "hand a signed statement to the log",
    load: async () => (await import("./commands/submit.ts")).submit,
  },
  {
    name: "export",
    summary: "signatures in the form that ssh-keygen checks",
    load: async () => (await import("./commands/export.ts")).exportSignatures,
  },
  {
    name: "status",
    summary: "packages and files: what is pending, and whom it waits for",
    load: async () => (await import("./commands/status.ts")).status,
  },
  {
    name: "notify",
    summary: "what needs a touch, over all packages of the keys here",
    load: async () => (await import("./commands/notify.ts")).notify,
  },
  {
    name: "release propose",
    summary: "a release for others to sign, without a key",
    load: async () => (await import("./commands/release/propose.ts")).releasePropose,
  },
  {
    name: "release sign",
    summary: "sign a release that was proposed",
    load: async () => (await import("./commands/release/sign.ts")).releaseSign,
  },
  {
    name: "release status",
    summary: "how many have signed a release",
    load: async () => (await import("./commands/release/status.ts")).releaseStatus,
  },
  {
    name: "release publish",
    summary: "publish and log a release that enough have signed",
    load: async () => (await import("./commands/release/publish.ts")).releasePublish,
  },
  {
    name: "release guard",
    summary: "refuse a publish that too few have signed",
    load: async () => (await import("./commands/release/guard.ts")).releaseGuard,
  },
  {
    name: "authority show",
    summary: "who may release a package, and what waits",
    load: async () => (await import("./commands/authority/show.ts")).authorityShow,
  },
  {
    name: "authority change",
    summary: "change holders, keys and thresholds",
    load: async () => (await import("./commands/authority/change.ts")).authorityChange,
  },
  {
    name: "authority revoke",
    summary: "make a key void, at once",
    load: async () => (await import("./commands/authority/revoke.ts")).authorityRevoke,
  },
  {
    name: "authority heartbeat",
    summary: "a sign of life, with one touch",
    load: async () => (await import("./commands/authority/heartbeat.ts")).authorityHeartbeat,
  },
  {
    name: "recover",
    summary: "new keys, by the recovery holders",
    load: async () => (await import("./commands/recover.ts")).recover,
  },
  {
    name: "veto",
    summary: "say no to what waits",
    load: async () => (await import("./commands/veto.ts")).veto,
  },
  {
    name: "hold",
    summary: "these versions must not be installed",
    load: async () => (await import("./commands/hold.ts")).hold,
  },
  {
    name: "lift",
    summary: "end a hold",
    load: async () => (await import("./commands/lift.ts")).lift,
  },
  {
    name: "adopt propose",
    summary: "ask to take over an orphan",
    load: async () => (await import("./commands/adopt/propose.ts")).adoptPropose,
  },
  {
    name: "adopt status",
    summary: "whether an adoption waits, and until when",
    load: async () => (await import("./commands/adopt/status.ts")).adoptStatus,
  },
  {
    name: "adopt finish",
    summary: "take an orphan over, after the window",
    load: async () => (await import("./commands/adopt/finish.ts")).adoptFinish,
  },
  {
    name: "committee create",
    summary: "found a committee",
    load: async () => (await import("./commands/committee/create.ts")).committeeCreate,
  },
  {
    name: "committee members",
    summary: "who sits in a committee, and what it may do",
    load: async () => (await import("./commands/committee/members.ts")).committeeMembers,
  },
  {
    name: "committee hold",
    summary: "keep versions away from those who follow it",
    load: async () => (await import("./commands/committee/hold.ts")).committeeHold,
  },
  {
    name: "committee lift",
    summary: "end a committee's hold",
    load: async () => (await import("./commands/committee/lift.ts")).committeeLift,
  },
  {
    name: "committee endorse",
    summary: "a committee's word for a claim",
    load: async () => (await import("./commands/committee/endorse.ts")).committeeEndorse,
  },
  {
    name: "committee review",
    summary: "a committee's verdict on a version",
    load: async () => (await import("./commands/committee/review.ts")).committeeReview,
  },
  {
    name: "funding set",
    summary: "where money goes",
    load: async () => (await import("./commands/funding-set.ts")).fundingSet,
  },
  {
    name: "log serve",
    summary: "run a log",
    load: async () => (await import("./commands/log-serve.ts")).logServe,
  },
  {
    name: "log fsck",
    summary: "check a whole log at rest",
    load: async () => (await import("./commands/log-fsck.ts")).logFsck,
  },
  {
    name: "log audit serve",
    summary: "run an auditor: replays a log and cosigns what is right",
    load: async () => (await import("./commands/log-audit-serve.ts")).logAuditServe,
  },
  {
    name: "log audit check",
    summary: "replay a log once",
    load: async () => (await import("./commands/log-audit-check.ts")).logAuditCheck,
  },
  {
    name: "log watch",
    summary: "new statements about packages, and about their keys",
    load: async () => (await import("./commands/log-watch.ts")).logWatch,
  },
  {
    name: "log proof",
    summary: "the proof that a release is in the log, for other people's tools",
    load: async () => (await import("./commands/log-proof.ts")).logProof,
  },
  {
    name: "log check-proof",
    summary: "whether such a proof holds, and has the policy's quorum",
    load: async () => (await import("./commands/log-check-proof.ts")).logCheckProof,
  },
  {
    name: "log forks",
    summary: "logs that were caught with two histories",
    load: async () => (await import("./commands/log-forks.ts")).logForks,
  },
  {
    name: "log witness serve",
    summary: "run a witness, which cosigns a log's checkpoints",
    load: async () => (await import("./commands/log-witness-serve.ts")).logWitnessServe,
  },
  {
    name: "log witness key",
    summary: "the verifier keys of a witness",
    load: async () => (await import("./commands/log-witness-key.ts")).logWitnessKey,
  },
  {
    name: "log key",
    summary: "the verifier key of a log",
    load: async () => (await import("./commands/log-key.ts")).logKey,
  },
];

/** The help of a group of commands, as `key`. */
export function commandHelp(group: readonly CommandEntry[]): string[] {
  return [
    "Commands:",
    ...table(group.map(({ name, summary }) => [`  touchmark ${name}`, summary])),
    "",
    "Each explains itself with --help.",
  ];
}
