import { describe, expect, test } from "vitest";
import {
  claimStatus,
  DAY,
  lineInForce,
  type Stage,
  type Transition,
  TRANSITIONS,
  windowEnd,
  WINDOWS,
} from "../../src/index.ts";
import { PLAYS } from "../support/plays.ts";
import { type Town, WIDGET } from "../support/town.ts";

// Each row of the table is played once, so that the drawing made from it can't say anything else than the rules do.

describe("[A-20] the table of transitions", () => {
  test("has each row once, and each is played", () => {
    const names = TRANSITIONS.map(nameOf);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(PLAYS).toSorted()).toEqual(names.toSorted());
  });

  for (const transition of TRANSITIONS) {
    test(nameOf(transition), () => {
      const { from, kind, window, to } = transition;
      const { town, act, id = WIDGET } = PLAYS[nameOf(transition)]!();
      expect(stageOf(town, id)).toBe(from);
      expect(act !== undefined).toBe(kind !== null);
      if (act) {
        const kinds = watchKinds(town);
        act();
        expect(kinds).toEqual([kind]);
        expect(openedNow(town)).toEqual(window === null ? [] : [window]);
      } else {
        // Time alone does it: at the end of the window, and not a second before.
        const end = town.day + WINDOWS[window!].days;
        town.day = end - 1 / DAY;
        expect(stageOf(town, id)).toBe(from);
        town.day = end;
      }
      expect(stageOf(town, id)).toBe(to);
    });
  }

  test("leads from every stage somewhere, to every stage, and names every window of a package's life", () => {
    const stages = new Set(TRANSITIONS.flatMap(({ from, to }) => [from, to]));
    for (const stage of stages) {
      expect(TRANSITIONS.some(({ from, to }) => from === stage && to !== stage)).toBe(true);
      if (stage !== "unclaimed") expect(TRANSITIONS.some(({ from, to }) => to === stage && from !== stage)).toBe(true);
    }
    const ofVersions = ["maintainer-hold", "committee-hold", "fresh"];
    const ofEntries = ["sign-of-life", "allowance"];
    const named = new Set([...TRANSITIONS.map(({ window }) => window), "dormancy", ...ofVersions, ...ofEntries]);
    expect(Object.keys(WINDOWS).filter((name) => !named.has(name))).toEqual([]);
  });
});

function nameOf({ from, kind, window, to, rule }: Transition): string {
  return `${from}: ${kind ?? "time"}${window === null ? "" : `, ${window}`}: ${to} [${rule}]`;
}

/** The kinds of what is entered from now on. */
function watchKinds(town: Town): string[] {
  const kinds: string[] = [];
  const enter: Town["enter"] = town.enter.bind(town);
  town.enter = (said, signers) => {
    kinds.push(said.kind);
    return enter(said, signers);
  };
  return kinds;
}

/** What counts first where several things are so. */
function stageOf(town: Town, id: string): Stage {
  const state = town.state(id);
  const line = lineInForce(state);
  if (state.adoption) return timeOf(town) < state.adoption.effectiveAt ? "adoption waits" : "adoption may be finished";
  if (line?.recovery) return "recovery waits";
  if (line?.change) return "change waits";
  if (line?.pendingFunding) return "funding waits";
  return claimStatus(state, timeOf(town));
}

/** The windows that end, counted from now, at the length that the table gives them. */
function openedNow(town: Town): string[] {
  const state = town.state();
  const line = lineInForce(state);
  const waiting = [state.adoption, line?.recovery, line?.change, line?.pendingFunding].filter((one) => one !== null);
  const claim = state.settlesAt === null ? [] : [{ window: "claim" as const, effectiveAt: state.settlesAt }];
  return [...waiting, ...claim]
    .filter((one) => one !== undefined)
    .filter(({ window, effectiveAt }) => effectiveAt === windowEnd(window, timeOf(town)))
    .map(({ window }) => window);
}

function timeOf(town: Town): number {
  return 1_800_000_000 + Math.round(town.day * DAY);
}
