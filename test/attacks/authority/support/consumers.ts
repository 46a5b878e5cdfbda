import { expect } from "vitest";
import type { Consumer } from "../../../support/consumer.ts";

// What people see who install: their lockfile against what the log says just now.

export async function expectAccepted(consumer: Consumer, words: RegExp): Promise<void> {
  const { exit, text, stdout } = await consumer.touchmark("verify --online --all");
  expect([exit, stdout], text).toEqual([0, expect.stringMatching(words)]);
  expect(stdout).toMatch(/^accepted /);
}

export async function expectRejected(consumer: Consumer, code: string, sentence: RegExp): Promise<void> {
  const { exit, text, stdout } = await consumer.touchmark("verify --online");
  expect([exit, stdout], text).toEqual([1, expect.stringMatching(/^rejected /)]);
  const reason = stdout.split("\n").find((line) => line.includes(`[${code} `));
  expect(reason ?? stdout).toMatch(sentence);
}
