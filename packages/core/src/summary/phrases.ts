import { encodeHex } from "../bytes.ts";
import { WINDOWS, type WindowName } from "../fold/windows.ts";
import { cleanText } from "../text.ts";

/** Label and text. */
export type Row = [label: string, text: string];

export interface SummarySection {
  title: string;
  rows: Row[];
}

/** A summary without what all kinds have in common. */
export interface SummaryWords {
  what: string;
  sections: SummarySection[];
  facts: Row[];
  remark: string;
}

/** `1 key`, `2 keys`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/** `14 days`: how long a window is. */
export function days(window: WindowName): string {
  return count(WINDOWS[window].days, "day");
}

/** An entry by its reference [S-26], cut. */
export function entryText(reference: Uint8Array): string {
  return `entry ${cutHex(encodeHex(reference))}`;
}

/** The beginning of a digest, enough to tell it from any other. */
export function cutHex(hex: string): string {
  return `${hex.slice(0, 32)}…`;
}

export function takesEffect(when: string): Row {
  return ["takes effect", when];
}

export function logFact(logs: string[]): Row {
  return ["for the log", logs.map((origin) => cleanText(origin)).join(", ")];
}

/** Packages and the entries that the statement goes on from. */
export function followedRows(packages: ReadonlyMap<string, { previous: Uint8Array }>): Row[] {
  return [...packages].map(([id, { previous }]) => [cleanText(id), `after ${entryText(previous)}`]);
}
