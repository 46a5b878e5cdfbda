import { encodeHold, encodeLift, type HoldInForce, parseReleaseId } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { type Context, usageError, type Values } from "../command.ts";
import { CliError } from "../error.ts";
import type { Exit } from "../failure.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { readRelease, readSubjectId } from "../statements/subject-ids.ts";
import { deliver, STATEMENT_FLAGS } from "./deliver.ts";
import { askLog, type LogView } from "./log-view.ts";
import { fileNameFor, requireLine } from "./subjects.ts";

const OWN_HOLD_FLAGS = {
  reason: { value: "TEXT", help: "why, in a sentence; everybody can read it" },
  osv: { value: "ID", help: "the id of a public record of what is wrong with it" },
  renew: { help: "go on from the hold that lasts, before it ends" },
} as const;

export const HOLD_FLAGS: typeof STATEMENT_FLAGS & typeof OWN_HOLD_FLAGS = { ...STATEMENT_FLAGS, ...OWN_HOLD_FLAGS };

const OWN_LIFT_FLAGS = {
  entry: { value: "INDEX", help: "the hold's entry, where there are several" },
} as const;

export const LIFT_FLAGS: typeof STATEMENT_FLAGS & typeof OWN_LIFT_FLAGS = { ...STATEMENT_FLAGS, ...OWN_LIFT_FLAGS };

/** Makes a hold of releases, by the package itself where `by` is null. */
export async function holdReleases(
  by: string | null,
  typed: readonly string[],
  wish: Values<typeof HOLD_FLAGS>,
  command: string,
  context: Context,
): Promise<Exit> {
  if (wish.reason === undefined) throw usageError(command, "--reason is missing.");
  const policy = loadPolicy(context);
  const releases = typed.map((one) => readRelease(one, policy, wish.registry));
  const [first] = releases;
  const holder = by ?? first!.packageId;
  const packages = [...new Set(releases.map(({ packageId }) => packageId))];
  if (by === null && packages.length > 1)
    throw usageError(command, "A package holds its own versions alone: one package at a time.");
  const view = await askLog(Object.fromEntries([holder, ...packages].map((id) => [id, []])), policy, context);
  requireLine(holder, view.state(holder));
  const ids = releases.map(({ releaseId }) => releaseId).toSorted();
  const before = wish.renew
    ? lasting(holder, view).find(({ releases: held }) => held.join() === ids.join())
    : undefined;
  if (wish.renew && before === undefined)
    throw new CliError(
      "NOT_THERE",
      `No hold of exactly these versions by ${holder} lasts.`,
      "touchmark authority show lists them.",
    );
  refuseSameWords(holder, ids, wish, view);
  const payload = encodeHold(nodeCrypto, {
    logs: [policy.log.origin],
    by: holder,
    releases: ids,
    reason: wish.reason,
    osv: wish.osv ?? null,
    renews: before?.place.leafHash ?? null,
  });
  return deliver({ command, payload, view, name: `${fileNameFor([holder])}.hold` }, wish, context);
}

/** Lifts a hold: the only one, the only one of a version, or the one of an entry. */
export async function liftHold(
  by: string | null,
  typed: string | undefined,
  wish: Values<typeof LIFT_FLAGS>,
  command: string,
  context: Context,
): Promise<Exit> {
  const policy = loadPolicy(context);
  const release = typed !== undefined && typed.lastIndexOf("@") > 0 ? readRelease(typed, policy, wish.registry) : null;
  const holder = by ?? release?.packageId ?? readSubjectId(typed ?? "", policy, wish.registry);
  if (wish.entry !== undefined && !/^\d{1,15}$/.test(wish.entry)) throw usageError(command, "--entry is no index.");
  const view = await askLog({ [holder]: [] }, policy, context);
  const found = lasting(holder, view).filter(
    ({ place, releases }) =>
      (release === null || releases.includes(release.releaseId)) &&
      (wish.entry === undefined || place.index === Number(wish.entry)),
  );
  const [hold, ...others] = found;
  if (hold === undefined)
    throw new CliError("NOT_THERE", `No such hold by ${holder} lasts.`, "touchmark authority show lists them.");
  if (others.length > 0)
    throw usageError(
      command,
      `Several holds last: entries ${found.map(({ place }) => place.index).join(", ")}.`,
      "Choose with --entry.",
    );
  const payload = encodeLift(nodeCrypto, { logs: [policy.log.origin], by: holder, hold: hold.place.leafHash });
  const versions = hold.releases.map((id) => `${parseReleaseId(id).packageId}@${parseReleaseId(id).version}`);
  const lines = [`It lifts the hold of entry ${hold.place.index}: ${versions.join(", ")}.`];
  const document = { lifts: { entry: hold.place.index, releases: versions } };
  return deliver({ command, payload, view, name: `${fileNameFor([holder])}.lift`, lines, document }, wish, context);
}

// The same statement again is the same entry: it would seem to be held once more, and would not be.
function refuseSameWords(
  holder: string,
  ids: readonly string[],
  { reason, osv, renew }: Values<typeof HOLD_FLAGS>,
  view: LogView,
): void {
  const before = view.entries(holder).find(({ signed: { statement } }) => {
    if (statement.kind !== "hold" || statement.renews !== null) return false;
    return statement.releases.join() === ids.join() && statement.reason === reason && statement.osv === (osv ?? null);
  });
  const lasts = lasting(holder, view).some(({ place }) => place.index === before?.entry.index);
  if (before === undefined || lasts || renew) return;
  throw new CliError(
    "HELD_BEFORE",
    `${holder} held the same in the same words before, by entry ${before.entry.index}, and that hold is over.`,
    "Say the reason in other words; the log tells whether it may be held again.",
  );
}

function lasting(holder: string, view: LogView): HoldInForce[] {
  return view
    .state(holder)
    .lines.flatMap(({ holds }) => holds.filter(({ until }) => until === null || until > view.time));
}
