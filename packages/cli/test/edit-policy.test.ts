import { encodeVerifierKey, noteSigner } from "@touchmark/log";
import { parsePolicy, ruleFor } from "@touchmark/verify";
import { describe, expect, test } from "vitest";
import { withAuthority } from "../src/files/edit-policy.ts";

const OLD = `sha256:${"1".repeat(64)}`;
const NEW = `sha256:${"2".repeat(64)}`;
const key = encodeVerifierKey(noteSigner("log.example/main", new Uint8Array(32)).key);
const LOG = `"log": {"url": "https://log.example/main/", "origin": "log.example/main", "key": "${key}"}`;
const REGISTRIES = '"registries": {"npmjs": ["https://registry.example/"]}';

function policyWith(packages: string): string {
  return `{\n  "version": 1,\n  ${REGISTRIES},\n  ${LOG},\n  "packages": ${packages}\n}\n`;
}

function edited(packages: string, name: string): string {
  const text = policyWith(packages);
  const after = withAuthority(text, parsePolicy(Buffer.from(text), 0), name, NEW);
  const policy = parsePolicy(Buffer.from(after), 0);
  expect(ruleFor(policy, name).authority).toBe(NEW);
  for (const other of ["other", "@acme/other"]) {
    expect(ruleFor(policy, other)).toEqual(ruleFor(parsePolicy(Buffer.from(text), 0), other));
  }
  const end = after.lastIndexOf("\n}\n");
  const [head] = policyWith("#").split("#");
  expect(after.slice(0, head!.length)).toBe(head);
  return after.slice(head!.length, end);
}

describe("the authority of one package in touchmark.json", () => {
  test("its own rule: nothing but the digest changes, however the file is laid out", () => {
    const layouts = [
      `{"widget": {"authority": "${OLD}"}}`,
      `{\n    "*": { "level": "ratchet" },\n\t"widget" :\n{ "level":"strict" , "authority" :  "${OLD}" }\r\n  }`,
      `{"a": {"authority": "${OLD}"}, "widget": {"keys": {"userVerification": true}, "authority": "${OLD}", "level": "strict"}}`,
      `{"authority": {"level": "strict"}, "widget": {"authority": "${OLD}"}}`,
    ];
    for (const layout of layouts) {
      const at = layout.lastIndexOf(OLD);
      expect(edited(layout, "widget")).toBe(layout.slice(0, at) + NEW + layout.slice(at + OLD.length));
    }
  });

  test("a scope's rule stays as it is for the others: the package gets a copy of its own", () => {
    const scope = `"@acme/*": {"level": "strict", "authority": "${OLD}", "proof": ["a"]}`;
    expect(edited(`{\n    "*": {"level": "ratchet"},\n    ${scope}\n  }`, "@acme/widget")).toBe(
      `{\n    "@acme/widget": {"level": "strict", "authority": "${NEW}", "proof": ["a"]},\n    "*": {"level": "ratchet"},\n    ${scope}\n  }`,
    );
  });

  test("and so does the rule of all", () => {
    expect(edited(`{"*": {"authority": "${OLD}"}}`, "widget")).toBe(
      `{"widget": {"authority": "${NEW}"}, "*": {"authority": "${OLD}"}}`,
    );
  });
});
