import { compareText } from "./bytes.ts";
import { CoreError, require } from "./errors.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";

/** An object with exactly these keys in this order; those in `optional` may be missing [C-7]. Throws `MALFORMED`. */
export function readObject(
  value: Json | undefined,
  rule: string,
  what: string,
  keys: string[],
  optional: string[] = [],
): JsonObject {
  require(isObject(value), rule, `The ${what} is not an object.`);
  const found = Object.keys(value);
  let at = 0;
  for (const key of keys) {
    if (found[at] === key) at++;
    else if (!optional.includes(key)) at = found.length + 1;
  }
  require(at === found.length, rule, `The ${what} does not have exactly the fields ${keys.join(", ")}, in this order.`);
  return value;
}

export function readArray(value: Json | undefined, rule: string, what: string, most: number): Json[] {
  require(Array.isArray(value), rule, `The ${what} is not a list.`);
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
  const good = typeof value === "string" && (form instanceof RegExp ? form.test(value) : form(value));
  require(good, rule, `The ${what} is malformed.`);
  return value;
}

export function readInteger(value: Json | undefined, rule: string, what: string, least: number, most: number): number {
  const good = typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most;
  require(good, rule, `The ${what} is not a whole number from ${least} to ${most}.`);
  return value;
}

export function readBoolean(value: Json | undefined, rule: string, what: string): boolean {
  require(typeof value === "boolean", rule, `The ${what} is neither true nor false.`);
  return value;
}

/** Throws unless the texts are in strictly rising byte order: sorted, and none twice. */
export function requireSorted(texts: string[], rule: string, what: string): void {
  for (let i = 1; i < texts.length; i++) {
    require(compareText(texts[i - 1]!, texts[i]!) < 0, rule, `The ${what} are not sorted, or one stands twice.`);
  }
}
