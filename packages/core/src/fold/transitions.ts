import type { Statement } from "../statement.ts";
import type { WindowName } from "./windows.ts";

/** Where a package stands, for a drawing: what waits counts before what is in force. */
export type Stage =
  | "unclaimed"
  | "pending"
  | "unproven"
  | "contested"
  | "in force"
  | "change waits"
  | "recovery waits"
  | "funding waits"
  | "frozen"
  | "adoption waits"
  | "adoption may be finished";

/** One step of a package's life: what chapter 10 lets happen where it stands, and where it stands then. */
export interface Transition {
  from: Stage;
  /** The statement that is entered; null if time alone does it. */
  kind: Statement["kind"] | null;
  /** Who signs, or what has to be so, in words. */
  when: string;
  /** The window that an entry opens, or at whose end time does it. */
  window: WindowName | null;
  to: Stage;
  rule: string;
}

/**
 * The state machine of chapter 10, one row a step. `applyStatement` and `settle` are the rules themselves; a test plays each row through them, and
 * docs/authority.svg is drawn from it. What concerns single versions (holds, reviews) changes none of these.
 */
export const TRANSITIONS: readonly Transition[] = [
  row("unclaimed", "claim", "every key that it lists", "claim", "pending", "A-3"),
  row("unclaimed", "claim", "of a committee or a log: every key that it lists", null, "in force", "A-7"),
  row("pending", "proof", "(a), by one live key of its claim", "claim", "pending", "A-4"),
  row("pending", "claim", "a rival with a proof (a) of its own", "claim", "pending", "A-3"),
  row("pending", null, "one line has the strongest proof", "claim", "in force", "A-4"),
  row("pending", null, "no line has a proof", "claim", "unproven", "A-4"),
  row("pending", null, "two lines have equal proof", "claim", "contested", "A-4"),
  row("unproven", "proof", "(a), by one live key of its claim", "claim", "pending", "A-4"),
  row("unproven", "claim", "a rival with a proof (a) of its own", "claim", "pending", "A-3"),
  row("unproven", null, "a recognised committee has endorsed one line", "claim", "in force", "A-5"),
  row("contested", "proof", "(a), by one live key of a claim without", "claim", "pending", "A-4"),
  row("contested", "claim", "a rival with a proof (a) of its own", "claim", "pending", "A-3"),
  row("contested", null, "a recognised committee has endorsed one line", "claim", "in force", "A-5"),
  row("in force", "release", "m holders", null, "in force", "S-22"),
  row("in force", "release", "m − 1 holders and a committee, where the authority says so", null, "in force", "A-14"),
  row("in force", "change", "c holders: nothing weaker", null, "in force", "A-9"),
  row("in force", "change", "c holders: something weaker", "lowering", "change waits", "A-9"),
  row("in force", "change", "the single holder", "solo", "change waits", "A-9"),
  row("change waits", null, "nothing replaced it", "lowering", "in force", "A-2"),
  row("change waits", null, "nobody vetoed it", "solo", "in force", "A-2"),
  row("change waits", "change", "c holders: it replaces the one that waits", "lowering", "change waits", "A-11"),
  row("change waits", "veto", "a single holder's change: any live or recovery key", null, "in force", "A-15"),
  row("in force", "change", "recovery holders", "recovery", "recovery waits", "A-10"),
  row("frozen", "change", "recovery holders", "recovery", "recovery waits", "A-10"),
  row("recovery waits", null, "nobody vetoed it", "recovery", "in force", "A-10"),
  row("recovery waits", "veto", "any live or recovery key", null, "in force", "A-15"),
  row("recovery waits", "change", "c holders: nothing weaker", null, "in force", "A-11"),
  row("recovery waits", "veto", "any live or recovery key, where it was frozen", null, "frozen", "A-15"),
  row("in force", "funding", "c holders: new addresses", "funding", "funding waits", "A-24"),
  row("funding waits", null, "nobody vetoed it", "funding", "in force", "A-24"),
  row("funding waits", "veto", "any live or recovery key", null, "in force", "A-15"),
  row("in force", "revoke", "the key itself, or c holders: m holders are left", null, "in force", "A-12"),
  row("in force", "revoke", "the key itself, or c holders: fewer than m are left", null, "frozen", "A-12"),
  row("in force", "adopt", "two committees, a year after the last entry", "adoption", "adoption waits", "A-21"),
  row(
    "in force",
    "adopt",
    "a successor or, if it is open, anybody; after the same year",
    "succession",
    "adoption waits",
    "A-21",
  ),
  row("frozen", "adopt", "two committees, a year after the last entry", "adoption", "adoption waits", "A-21"),
  row(
    "adoption waits",
    "veto",
    "any live or recovery key; any other sign of life does the same",
    null,
    "in force",
    "A-22",
  ),
  row("adoption waits", null, "nobody showed life", "adoption", "adoption may be finished", "A-23"),
  row("adoption waits", null, "nobody showed life", "succession", "adoption may be finished", "A-23"),
  row(
    "adoption may be finished",
    "veto",
    "any live or recovery key; any other sign of life does the same",
    null,
    "in force",
    "A-22",
  ),
  row("adoption may be finished", null, "nobody finished it", "finish", "in force", "A-23"),
  row("adoption may be finished", "adopt-final", "the candidate's m holders: a new epoch", null, "in force", "A-23"),
];

function row(
  from: Stage,
  kind: Transition["kind"],
  when: string,
  window: WindowName | null,
  to: Stage,
  rule: string,
): Transition {
  return { from, kind, when, window, to, rule };
}
