import { expect } from "vitest";
import { CoreError } from "../../src/index.ts";

export interface Refusal {
  code: string;
  rule: string;
}

/** The code and the rule with which core refuses, or null if it doesn't. Whatever else is thrown goes on. */
export function refusalOf(act: () => unknown): Refusal | null {
  try {
    act();
    return null;
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    expect(error.message, "a refusal is one sentence").toMatch(/^\S[^\n]*[.!]$/);
    return { code: error.code, rule: error.rule };
  }
}
