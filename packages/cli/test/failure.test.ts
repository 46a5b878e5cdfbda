import { CoreError } from "@touchmark/core";
import { FidoError } from "@touchmark/fido";
import { LogError } from "@touchmark/log";
import { LogServerError } from "@touchmark/log-server";
import { VerifyError } from "@touchmark/verify";
import { describe, expect, it } from "vitest";
import { CliError } from "../src/error.ts";
import { explainFailure } from "../src/failure.ts";

const system = (code: string, more: object = {}): Error => Object.assign(new Error(code), { code, ...more });
const refused = (status: number): LogError =>
  new LogError("REFUSED", "No.", {
    refusal: { status, code: "THRESHOLD", message: "Too few.", hint: "More.", rule: "S-22" },
  });

describe("exit codes", () => {
  it.each([
    ["a statement that the rules refuse", new CoreError("THRESHOLD", "S-22", "Too few."), 1],
    ["a file that is no statement", new CoreError("MALFORMED", "S-1", "No."), 2],
    ["a policy that is none", new VerifyError("POLICY_MALFORMED", "No."), 2],
    ["a registry that is silent", new VerifyError("UPSTREAM_UNREACHABLE", "No."), 3],
    ["a tree that differs", new VerifyError("INSTALLED_DIFFERS", "No."), 1],
    ["a key that wasn't touched", new FidoError("TOUCH_TIMEOUT", "No."), 4],
    ["a device that is none", new FidoError("BAD_DEVICE_SPEC", "No."), 2],
    ["a log that refuses by its rules", refused(422), 1],
    ["a log that can't now", refused(503), 3],
    ["a log that has too much to do", refused(429), 3],
    ["a log that lies", new LogError("BAD_PROOF", "No."), 3],
    ["a log that contradicts itself", new LogError("FORK", "No."), 3],
    ["a log's key that is none", new LogError("BAD_KEY", "No."), 2],
    ["a log's folder that is in use", new LogServerError("STORE_LOCKED", "No."), 2],
    ["a log's disk that is full", new LogServerError("STORE_FULL", "No."), 3],
    ["no key enrolled", new CliError("NO_KEY", "No."), 4],
    ["other bytes", new CliError("OTHER_BYTES", "No."), 1],
    ["no file", system("ENOENT", { path: "x" }), 2],
    ["no permission", system("EACCES", { path: "x" }), 2],
    ["a folder for a file", system("EISDIR", { path: "x" }), 2],
    ["a file for a folder", system("ENOTDIR", { path: "x" }), 2],
    ["a file in the way", system("EEXIST", { path: "x" }), 2],
    ["a disk that can't be written", system("EROFS", { path: "x" }), 2],
    ["a full disk", system("ENOSPC"), 3],
    ["a port in use", system("EADDRINUSE", { address: "127.0.0.1", port: 8321 }), 2],
    [
      "nobody at the other end",
      new TypeError("fetch failed", { cause: system("ECONNREFUSED", { address: "::1" }) }),
      3,
    ],
    ["an answer that doesn't come", new DOMException("late", "TimeoutError"), 3],
    ["a person who gave up", new DOMException("enough", "AbortError"), 4],
    ["anything else", new RangeError("what?"), 3],
    ["what is no error", "what?", 3],
  ])("%s: %#", (_what, error, exit) => {
    const failure = explainFailure(error);
    expect(failure.exit).toBe(exit);
    expect(failure.message).toMatch(/\S.*[.?]$/);
    expect(failure.code).toMatch(/^[A-Z_0-9]+$/);
  });

  it("a refusal is told in the log's own words", () => {
    expect(explainFailure(refused(422))).toEqual({
      exit: 1,
      code: "THRESHOLD",
      message: "Too few.",
      hint: "More.",
      rule: "S-22",
    });
  });

  it("the unexpected asks to be reported", () => {
    expect(explainFailure(new RangeError("what?"))).toMatchObject({
      code: "INTERNAL",
      message: "internal error: RangeError: what?",
    });
  });
});
