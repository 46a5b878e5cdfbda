/** Seconds in a day. */
export const DAY = 86_400;

/** One window: how long it is, what opens it, and who may veto what waits in it. */
export interface Window {
  days: number;
  opens: string;
  veto: "none" | "any live or recovery key";
}

export type WindowName =
  | "claim"
  | "solo"
  | "lowering"
  | "recovery"
  | "funding"
  | "adoption"
  | "succession"
  | "finish"
  | "dormancy"
  | "maintainer-hold"
  | "committee-hold"
  | "fresh"
  | "sign-of-life"
  | "allowance";

/** The windows of this version of the rules. Nothing else in the code names a number of days. */
export const WINDOWS: Readonly<Record<WindowName, Window>> = {
  claim: {
    days: 7,
    opens: "a claim, a line's first proof (a), or an endorsement after the lines were settled",
    veto: "none",
  },
  solo: { days: 7, opens: "a change by an authority of a single holder", veto: "any live or recovery key" },
  lowering: { days: 14, opens: "a change that weakens", veto: "none" },
  recovery: { days: 30, opens: "a change by recovery keys", veto: "any live or recovery key" },
  funding: { days: 14, opens: "new payout addresses", veto: "any live or recovery key" },
  adoption: { days: 90, opens: "an adoption with committees", veto: "any live or recovery key" },
  succession: {
    days: 21,
    opens: "an adoption by a successor, or of an open package",
    veto: "any live or recovery key",
  },
  finish: { days: 30, opens: "the end of an adoption's window", veto: "none" },
  dormancy: { days: 365, opens: "the package's last entry of any kind", veto: "none" },
  "maintainer-hold": { days: 3, opens: "a hold by one holder", veto: "none" },
  "committee-hold": { days: 14, opens: "a hold by a committee", veto: "none" },
  fresh: { days: 30, opens: "a release", veto: "none" },
  "sign-of-life": { days: 1, opens: "the package's last authority entry", veto: "none" },
  allowance: { days: 30, opens: "a claim, and again at its end", veto: "none" },
};

/** The log time at which a window that opens at `time` ends. */
export function windowEnd(name: WindowName, time: number): number {
  return time + WINDOWS[name].days * DAY;
}

/** Whether what waits in a window may be vetoed; a single holder's change always may. */
export function isVetoable(name: WindowName): boolean {
  return WINDOWS[name].veto !== "none";
}
