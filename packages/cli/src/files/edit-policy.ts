// Changes one value in touchmark.json and leaves every other byte as the person wrote it. The text was read as a policy before, so that it is JSON.
import type { Policy } from "@touchmark/verify";

/** The policy's text with another authority for one package: in its own rule, or in a copy of the wider rule that covered it, for this package alone. */
export function withAuthority(text: string, { rules }: Policy, name: string, authority: string): string {
  const value = JSON.stringify(authority);
  const packages = memberOf(text, start(text), "packages")!;
  if (rules.has(name)) {
    const { value: rule } = memberOf(text, packages.value, name)!;
    return replace(text, memberOf(text, rule, "authority")!, value);
  }
  const scope = name.startsWith("@") ? `${name.slice(0, name.indexOf("/"))}/*` : "*";
  const wider = memberOf(text, packages.value, rules.has(scope) ? scope : "*")!;
  const pinned = memberOf(text, wider.value, "authority")!;
  const copy = text.slice(wider.value, pinned.value) + value + text.slice(pinned.end, wider.end);
  // Before the first rule, with the same white space between as that one has to the brace.
  const first = members(text, packages.value).next().value!;
  const space = text.slice(packages.value + 1, first.key);
  return `${text.slice(0, first.key)}${JSON.stringify(name)}: ${copy},${space === "" ? " " : space}${text.slice(first.key)}`;
}

/** Where the members of an object stand: a key's first character, its value's, and what follows that. */
interface Member {
  name: string;
  key: number;
  value: number;
  end: number;
}

function memberOf(text: string, object: number, name: string): Member | undefined {
  for (const member of members(text, object)) if (member.name === name) return member;
  return undefined;
}

function* members(text: string, object: number): Generator<Member, undefined> {
  const tokens = tokensFrom(text, object + 1);
  for (let token = tokens.next().value; token && token.text !== "}"; token = tokens.next().value) {
    if (token.text === ",") continue;
    const { text: key, start: at } = token;
    tokens.next(); // the colon
    let last = tokens.next().value!;
    const { start: value } = last;
    for (let depth = depthOf(last.text); depth > 0; depth += depthOf(last.text)) last = tokens.next().value!;
    yield { name: JSON.parse(key) as string, key: at, value, end: last.start + last.text.length };
  }
}

function* tokensFrom(text: string, from: number): Generator<{ text: string; start: number }, undefined> {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
  token.lastIndex = from;
  for (let match = token.exec(text); match; match = token.exec(text)) yield { text: match[0], start: match.index };
}

function depthOf(token: string): number {
  if (token === "{" || token === "[") return 1;
  return token === "}" || token === "]" ? -1 : 0;
}

function start(text: string): number {
  return text.indexOf("{");
}

function replace(text: string, { value, end }: Member, by: string): string {
  return text.slice(0, value) + by + text.slice(end);
}
