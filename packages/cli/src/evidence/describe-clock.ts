import { DAY } from "@touchmark/core";
import { count } from "../ui.ts";
import { describeTime } from "./describe-evidence.ts";

/** When something is, and how long that is from now: `2026-11-25 10:00:00 UTC, in 3 days`. */
export function describeClock(time: number, now: number): string {
  const left = time - now;
  return `${describeTime(time)}, ${left > 0 ? `in ${span(left)}` : left === 0 ? "now" : `${span(-left)} ago`}`;
}

function span(seconds: number): string {
  if (seconds >= 2 * DAY) return count(Math.round(seconds / DAY), "day");
  if (seconds >= 7200) return count(Math.round(seconds / 3600), "hour");
  return count(Math.max(1, Math.round(seconds / 60)), "minute");
}
