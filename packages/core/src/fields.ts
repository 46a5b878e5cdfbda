import { compareText } from "./bytes.ts";
import { CoreError } from "./errors.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";

/** An object with exactly these keys in this order; those in `optional` may be missing [C-7]. Throws `MALFORMED`. */
export function readObject(
  value: Json | undefined,
  rule: string,
  what: string,
  keys: string[],
  optional: string[] = [],
): JsonObject {
  if (!isObject(value)) throw malformed(rule, `The ${what} is not an object.`);
  const found = Object.keys(value);
  let at = 0;
  for (const key of keys) {
    if (found[at] === key) at++;
    else if (!optional.includes(key)) at = found.length + 1;
  }
  if (at !== found.length)
    throw malformed(rule, `The ${what} does not have exactly the fields ${keys.join(", ")}, in this order.`);
  return value;
}

export function readArray(value: Json | undefined, rule: string, what: string, most: number): Json[] {
  if (!Array.isArray(value)) throw malformed(rule, `The ${what} is not a list.`);
  if (value.length > most)
    throw new CoreError("TOO_LARGE", "C-15", `The ${what} has ${value.length} items; at most ${most} are allowed.`);
  return value;
}

export function readString(
  value: Json | undefined,
  rule: string,
  what: string,
  form: RegExp | ((text: string) => boolean),
): string {
  if (typeof value === "string" && (form instanceof RegExp ? form.test(value) : form(value))) return value;
  throw malformed(rule, `The ${what} is malformed.`);
}

export function readInteger(value: Json | undefined, rule: string, what: string, least: number, most: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw malformed(rule, `The ${what} is not a whole number from ${least} to ${most}.`);
}

export function readBoolean(value: Json | undefined, rule: string, what: string): boolean {
  if (typeof value === "boolean") return value;
  throw malformed(rule, `The ${what} is neither true nor false.`);
}

/** Throws unless the texts are in strictly rising byte order: sorted, and none twice. */
export function requireSorted(texts: string[], rule: string, what: string): void {
  for (let i = 1; i < texts.length; i++) {
    if (compareText(texts[i - 1]!, texts[i]!) >= 0)
      throw malformed(rule, `The ${what} are not sorted, or one stands twice.`);
  }
}

// Thousands of fields are read for one that is wrong: the sentence is made when it is needed.
function malformed(rule: string, message: string): CoreError {
  return new CoreError("MALFORMED", rule, message);
}
