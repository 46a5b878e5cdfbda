import { describe, expect, it } from "vitest";
import type { Io } from "../src/index.ts";
import { nearest } from "../src/nearest.ts";
import { makeUi, table } from "../src/ui.ts";

function printed(isTerminal: boolean, env: Record<string, string> = {}): { io: Io; text: () => string } {
  let text = "";
  const never = (): never => {
    throw new Error("not asked for here");
  };
  const io: Io = {
    stdout: (more) => {
      text += String(more);
    },
    stderr: () => undefined,
    askSecret: never,
    askText: never,
    askConfirm: never,
    readLine: never,
    npmConfig: never,
    cwd: "/",
    env,
    homeDirectory: "/",
    now: () => 0,
    fetch: never,
    platform: process.platform,
    isTerminal: { stdin: isTerminal, stdout: isTerminal, stderr: isTerminal },
    signal: new AbortController().signal,
  };

  return { io, text: () => text };
}

describe("the UI rules", () => {
  it("colour is for terminals, and not with NO_COLOR or --json", () => {
    expect(makeUi(printed(true).io, false).bad("x")).toBe("\u001b[31mx\u001b[0m");
    expect(makeUi(printed(false).io, false).bad("x")).toBe("x");
    expect(makeUi(printed(true, { NO_COLOR: "1" }).io, false).bad("x")).toBe("x");
    expect(makeUi(printed(true).io, true).bad("x")).toBe("x");
  });

  it("colour does not move the columns", () => {
    const { bad } = makeUi(printed(true).io, false);
    expect(
      table([
        [bad("a"), "1"],
        ["bbb", "2"],
      ]),
    ).toEqual([`${bad("a")}    1`, "bbb  2"]);
  });

  it("[C-16] a JSON document holds no character that a terminal obeys", () => {
    const { io, text } = printed(false);
    makeUi(io, true).result({ name: "a\u001b[2Jb\u202ec\u0085\u{e0001}" }, []);
    for (const character of ["\u001b", "\u0085", "\u202e", "\u{e0001}"]) expect(text()).not.toContain(character);
    expect(JSON.parse(text())).toEqual({ name: "a\u001b[2Jb\u202ec\u0085\u{e0001}" });
  });

  it("a word that is nearly one is recognised", () => {
    const known = ["verify", "sign", "key", "npm"];
    expect(nearest("verfy", known)).toBe("verify");
    expect(nearest("vreify", known)).toBe("verify");
    expect(nearest("sing", known)).toBe("sign");
    expect(nearest("x", known)).toBeUndefined();
    expect(nearest("install", known)).toBeUndefined();
  });
});
