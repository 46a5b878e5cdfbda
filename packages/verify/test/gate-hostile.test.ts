import { describe, expect, it } from "vitest";
import { VerifyError } from "../src/errors.ts";
import { filterPackument, PACKUMENT_LIMITS, parsePackument, type Packument } from "../src/gate/packument.ts";
import { startGate } from "../src/gate/start-gate.ts";
import { refusing, startTestRegistry } from "./gate-support.ts";

const UPSTREAM = { name: "main", url: "https://registry.example/npm/", tarballOrigins: ["https://cdn.example"] };
const GOOD = "https://registry.example/npm/widget/-/widget-1.0.0.tgz";

function read(document: unknown, limits = PACKUMENT_LIMITS): Packument {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return parsePackument(Buffer.from(text), "widget", UPSTREAM, limits);
}

function withVersion(version: string, dist: unknown, more: object = {}): Packument {
  return read({ name: "widget", versions: { [version]: { name: "widget", version, dist, ...more } } });
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return "accepted";
  } catch (error) {
    if (error instanceof VerifyError) return error.code;
    throw error;
  }
}

describe("I15 hostile documents", () => {
  it.each<[string, unknown, string]>([
    [
      "100,000 versions",
      { name: "widget", versions: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`1.0.${i}`, 0])) },
      "PACKUMENT_TOO_LARGE",
    ],
    ["a key twice", '{"name":"widget","versions":{"1.0.0":{},"1.0.0":{}}}', "PACKUMENT_MALFORMED"],
    ["deep nesting", `{"name":"widget","x":${"[".repeat(100_000)}`, "PACKUMENT_TOO_LARGE"],
    ["another package's", { name: "other", versions: {} }, "PACKUMENT_MALFORMED"],
    ["versions as a list", { name: "widget", versions: [] }, "PACKUMENT_MALFORMED"],
    ["no JSON", "<html>", "PACKUMENT_MALFORMED"],
    ["text", '"widget"', "PACKUMENT_MALFORMED"],
  ])("%s", (_, document, code) => {
    expect(codeOf(() => read(document))).toBe(code);
  });

  it.each<[string, string | undefined]>([
    ["another host", "https://evil.example/widget/-/widget-1.0.0.tgz"],
    ["a host that begins alike", "https://registry.example.evil.example/npm/widget/-/widget-1.0.0.tgz"],
    ["another port", "https://registry.example:8443/npm/widget/-/widget-1.0.0.tgz"],
    ["another scheme", "http://registry.example/npm/widget/-/widget-1.0.0.tgz"],
    ["a user", "https://user@registry.example/npm/widget/-/widget-1.0.0.tgz"],
    ["another package", "https://registry.example/npm/other/-/other-1.0.0.tgz"],
    ["another version", "https://registry.example/npm/widget/-/widget-1.0.1.tgz"],
    ["a package's document", "https://registry.example/other"],
    ["the registry's own functions", "https://registry.example/-/widget-1.0.0.tgz"],
    ["a broken escape", "https://registry.example/npm/%zz/-/widget-1.0.0.tgz"],
    ["a file", "file:///etc/passwd"],
    ["no URL", "widget-1.0.0.tgz"],
    ["nothing", undefined],
  ])("dist.tarball at %s is not offered", (_, tarball) => {
    const packument = withVersion("1.0.0", { tarball });
    expect([packument.offered.size, packument.broken.size]).toEqual([0, 1]);
    expect(filterPackument(packument, packument.broken)["versions"]).toEqual({});
  });

  it("the registry's own host and the named ones are", () => {
    expect(withVersion("1.0.0", { tarball: GOOD }).offered.size).toBe(1);
    expect(withVersion("1.0.0", { tarball: "https://cdn.example/blobs/1" }).offered.size).toBe(1);
  });

  it.each<[string, string, object]>([
    ["a version that is none", "1.0", {}],
    ["an escape sequence as a version", "1.0.0\u001b[2J", {}],
    ["an entry about another version", "1.0.0", { version: "1.0.1" }],
    ["an entry about another package", "1.0.0", { name: "other" }],
  ])("%s is not offered", (_, version, more) => {
    const packument = withVersion(version, { tarball: GOOD }, more);
    expect(packument.offered.size).toBe(0);
    expect(JSON.stringify(filterPackument(packument, packument.broken))).not.toContain("\\u001b");
  });

  it("keys named __proto__ stay keys", () => {
    const document = `{"name":"widget","__proto__":{"polluted":1},"dist-tags":{"__proto__":"1.0.0"},"versions":{"__proto__":{"name":"widget","version":"__proto__"},"1.0.0":{"name":"widget","version":"1.0.0","__proto__":{"polluted":1},"dist":{"tarball":"${GOOD}"}}}}`;
    const packument = read(document);
    const result = filterPackument(packument, packument.broken);
    expect([...packument.offered.keys()]).toEqual(["1.0.0"]);
    expect(Object.keys(result["versions"]!)).toEqual(["1.0.0"]);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("npm's own fields for versions beside `versions` are not passed on", () => {
    const packument = read({
      name: "widget",
      versions: {},
      stagedVersions: { versions: { "1.0.0": {} } },
      policyRestrictions: { message: "x", versions: {} },
    });
    expect(Object.keys(filterPackument(packument, new Map()))).toEqual(["name", "versions", "dist-tags"]);
  });

  it("I16: reasons are cleaned, and cut after ten", () => {
    const versions = Array.from({ length: 30 }, (_, i) => `1.0.${i}`);
    const refused = new Map(
      versions.map((version) => [
        version,
        { allow: false as const, code: "X", reason: "\u202ebad\u001b[31m", hint: "" },
      ]),
    );
    const { message } = filterPackument(read({ name: "widget", versions: {} }), refused)["policyRestrictions"] as {
      message: string;
    };
    expect(message.split("\n")).toHaveLength(11);
    expect(message).toMatch(/^1\.0\.29: \\u\{202e\}bad\\u\{1b\}\[31m \(X\)\n/);
    expect(message).toMatch(/\nand 20 older versions$/);
  });

  it("200 MB of readme is cut off at the limit", async () => {
    const registry = await startTestRegistry();
    const gate = await startGate({
      registry: { name: "main", url: registry.url },
      decide: refusing(),
      packumentLimits: { bytes: 2 ** 20 },
    });
    try {
      let sent = 0;
      registry.routes.set("widget", (_, response) => {
        const chunk = Buffer.alloc(65_536, "a");
        const send = (): void => {
          while (sent < 200 * 2 ** 20 && !response.destroyed) {
            sent += chunk.length;
            if (!response.write(chunk)) return void response.once("drain", send);
          }
          response.end();
        };
        response.write('{"name":"widget","readme":"');
        send();
      });
      const response = await fetch(`${gate.url}widget`);
      expect(response.status).toBe(403);
      expect(await response.text()).toContain("PACKUMENT_TOO_LARGE");
      expect(sent).toBeLessThan(50 * 2 ** 20);
    } finally {
      await gate.close();
      await registry.close();
    }
  });
});
