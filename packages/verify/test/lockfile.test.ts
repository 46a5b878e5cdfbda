import { describe, expect, it } from "vitest";
import { VerifyError } from "../src/errors.ts";
import { encodeIntegrity, parseIntegrity } from "../src/npm/integrity.ts";
import { foldPath, parseLockfile, type LockedPackage } from "../src/npm/lockfile.ts";
import { addressFits, registryMatcher } from "../src/npm/registry-address.ts";
import { cleanVersion, compareVersions, isPrerelease } from "../src/npm/semver.ts";

const A = encodeIntegrity("aa".repeat(64));
const B = encodeIntegrity("bb".repeat(64));
const SHA1 = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
const registryOf = registryMatcher({ main: ["https://registry.example/"], corp: ["https://corp.example/npm"] });

function lock(packages: unknown, lockfileVersion: unknown = 3): Uint8Array {
  return Buffer.from(JSON.stringify({ name: "root", lockfileVersion, packages }));
}

function one(path: string, entry: object, others: object = {}): LockedPackage {
  const { packages } = parseLockfile(lock({ "": { name: "root" }, ...others, [path]: entry }), registryOf);
  return packages.find((found) => found.paths.includes(path))!;
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

describe("I4 integrity [V-8]", () => {
  it.each([
    [undefined, "INTEGRITY_MISSING"],
    ["", "INTEGRITY_MISSING"],
    [SHA1, "INTEGRITY_WEAK"],
    ["sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", "INTEGRITY_WEAK"],
    [`${A} ${B}`, "INTEGRITY_AMBIGUOUS"],
    [A.slice(0, -1), "INTEGRITY_MALFORMED"],
    [A.slice(0, -8), "INTEGRITY_MALFORMED"],
    [`${A}?opt`, "INTEGRITY_MALFORMED"],
    [A.replace(/.==$/, "r=="), "INTEGRITY_MALFORMED"],
    ["sha512-", "INTEGRITY_MALFORMED"],
    [A.toUpperCase(), "INTEGRITY_MALFORMED"],
  ])("%s is a finding", (text, code) => {
    expect(parseIntegrity(text)).toMatchObject({ ok: false, code });
  });

  it("the strongest decides, the same value twice is one", () => {
    expect(parseIntegrity(`${SHA1} ${A}`)).toEqual({ ok: true, sha512: "aa".repeat(64) });
    expect(parseIntegrity(`${A}\n${A}`)).toEqual({ ok: true, sha512: "aa".repeat(64) });
  });
});

describe("I5 sources", () => {
  const url = "https://registry.example/x/-/x-1.0.0.tgz";

  it.each<[string, string, object, string]>([
    ["a registry tarball", "node_modules/x", { version: "1.0.0", resolved: url, integrity: A }, "registry"],
    ["no address", "node_modules/x", { version: "1.0.0", integrity: A }, "registry"],
    [
      "another host",
      "node_modules/x",
      { version: "1.0.0", resolved: "https://evil.example/x/-/x-1.0.0.tgz" },
      "remote-tarball",
    ],
    [
      "a host that only begins alike",
      "node_modules/x",
      { resolved: "https://registry.example.evil.example/x.tgz" },
      "remote-tarball",
    ],
    ["another scheme", "node_modules/x", { resolved: "http://registry.example/x/-/x-1.0.0.tgz" }, "remote-tarball"],
    ["another port", "node_modules/x", { resolved: "https://registry.example:444/x/-/x-1.0.0.tgz" }, "remote-tarball"],
    [
      "a user in the address",
      "node_modules/x",
      { resolved: "https://a@registry.example/x/-/x-1.0.0.tgz" },
      "remote-tarball",
    ],
    [
      "a path beside the registry's",
      "node_modules/x",
      { resolved: "https://corp.example/npm/../x.tgz" },
      "remote-tarball",
    ],
    ["git", "node_modules/x", { version: "1.0.0", resolved: "git+ssh://git@git.example/x.git#0123" }, "git"],
    ["a short git form", "node_modules/x", { resolved: "github:a/b#0123" }, "git"],
    ["a tarball on disk", "node_modules/x", { version: "1.0.0", resolved: "file:x.tgz", integrity: A }, "file"],
    ["a link into the project", "node_modules/x", { resolved: "packages/x", link: true }, "link"],
    ["a link out of the project", "node_modules/x", { resolved: "../x", link: true }, "file"],
    ["an absolute link", "node_modules/x", { resolved: "/x", link: true }, "file"],
    ["a link into another package", "node_modules/x", { resolved: "node_modules/y/x", link: true }, "file"],
    ["one as some file systems read it", "node_modules/x", { resolved: "Node_Modules. /y/x", link: true }, "file"],
    ["a place inside another package", "node_modules/y/x", { version: "1.0.0" }, "file"],
    ["a workspace", "packages/x", { version: "1.0.0" }, "workspace"],
    ["a directory out of the project", "../x", { version: "1.0.0" }, "file"],
  ])("%s", (_, path, entry, kind) => {
    expect(one(path, entry).kind).toBe(kind);
  });

  it("an alias keeps the package's own name", () => {
    const alias = one("node_modules/x", {
      name: "@s/y",
      version: "1.0.0",
      resolved: "https://registry.example/@s/y/-/y-1.0.0.tgz",
      integrity: A,
    });
    expect(alias).toMatchObject({ name: "@s/y", aliases: ["x"], registry: "main", addressFits: true });
  });

  it("an address of another package or version doesn't fit", () => {
    expect(one("node_modules/good", { version: "1.0.0", resolved: url, integrity: A }).addressFits).toBe(false);
    expect(one("node_modules/x", { version: "1.0.1", resolved: url, integrity: A }).addressFits).toBe(false);
    expect(addressFits(new URL("https://h.example/@s%2fx/-/x-1.0.0.tgz"), "@s/x", "1.0.0")).toBe(true);
    expect(addressFits(new URL("https://h.example/@s/x/-/@s/x-1.0.0.tgz"), "@s/x", "1.0.0")).toBe(true);
    expect(addressFits(new URL("https://h.example/download/@s/x/1.0.0/abc"), "@s/x", "1.0.0")).toBe(true);
    expect(addressFits(new URL("https://h.example/@t/x/-/x-1.0.0.tgz"), "@s/x", "1.0.0")).toBe(false);
    expect(addressFits(new URL("https://h.example/@t/x/-/x-1.0.0.tgz"), "x", "1.0.0")).toBe(false);
    expect(addressFits(new URL("https://h.example/@t%2fx/-/x-1.0.0.tgz"), "x", "1.0.0")).toBe(false);
    expect(addressFits(new URL("https://h.example/npm/x/-/x-1.0.0.tgz"), "x", "1.0.0")).toBe(true);
  });

  it("bundled is believed only of a package that bundles", () => {
    const parent = { version: "1.0.0", resolved: "https://registry.example/p/-/p-1.0.0.tgz", integrity: A };
    const inside = "node_modules/p/node_modules/x";
    const bundling = { "node_modules/p": { ...parent, bundleDependencies: ["x"] } };
    const deeper = "node_modules/p/node_modules/x/node_modules/y";
    expect(one(inside, { version: "1.0.0", inBundle: true }, bundling)).toMatchObject({
      kind: "bundled",
      bundler: "node_modules/p",
    });
    expect(one(deeper, { inBundle: true }, { ...bundling, [inside]: { inBundle: true } }).bundler).toBe(
      "node_modules/p",
    );
    expect(one(inside, { version: "1.0.0", inBundle: true }, { "node_modules/p": parent }).kind).toBe("registry");
    expect(
      one(inside, { version: "1.0.0", inBundle: true, resolved: "https://evil.example/x.tgz" }, bundling).kind,
    ).toBe("remote-tarball");
    expect(one("node_modules/x", { version: "1.0.0", inBundle: true }).kind).toBe("registry");
  });

  it("the same package in two places is one, with flags that hold for both", () => {
    const entry = { version: "1.0.0", resolved: url, integrity: A };
    const found = one(
      "node_modules/x",
      { ...entry, dev: true },
      { "node_modules/p/node_modules/x": { ...entry, optional: true, hasInstallScript: true } },
    );
    expect(found).toMatchObject({ dev: false, optional: false, hasInstallScript: true });
    expect(found.paths).toHaveLength(2);
    const other = one("node_modules/x", entry, { "node_modules/p/node_modules/x": { ...entry, integrity: B } });
    expect(other.paths).toHaveLength(1);
  });
});

describe("a path as other file systems read it", () => {
  it("has no upper case, long s, or ends of dots and spaces", () => {
    expect(foldPath("Node_Module\u017f. /Pewter ./a.b")).toBe("node_modules/pewter/a.b");
    expect(foldPath("../..")).toBe("../..");
  });

  it("is found in one pass over however many spaces", () => {
    expect(foldPath(`a${" ".repeat(400_000)}b`)).toHaveLength(400_002);
  });
});

describe("lockfile form", () => {
  it.each<[string, Uint8Array, string]>([
    ["version 1", lock({}, 1), "LOCKFILE_VERSION"],
    ["version 4", lock({}, 4), "LOCKFILE_VERSION"],
    ["a version as text", lock({}, "3"), "LOCKFILE_VERSION"],
    ["no packages", lock(undefined), "LOCKFILE_MALFORMED"],
    ["a list", lock([]), "LOCKFILE_MALFORMED"],
    ["an entry that is text", lock({ "node_modules/x": "1.0.0" }), "LOCKFILE_MALFORMED"],
    ["an integrity that is a list", lock({ "node_modules/x": { integrity: [A] } }), "LOCKFILE_MALFORMED"],
    ["a workspace with an address", lock({ x: { resolved: "https://evil.example/x.tgz" } }), "LOCKFILE_MALFORMED"],
    ["a path that climbs", lock({ "node_modules/../../x": {} }), "LOCKFILE_MALFORMED"],
    ["a path that climbs after a dot", lock({ "a./../../x": {} }), "LOCKFILE_MALFORMED"],
    ["a bundle that isn't true", lock({ "node_modules/x": { inBundle: "true" } }), "LOCKFILE_MALFORMED"],
    ["an absolute path", lock({ "/node_modules/x": {} }), "LOCKFILE_MALFORMED"],
    ["a path with an escape", lock({ "node_modules/\u001b[2J": {} }), "LOCKFILE_MALFORMED"],
    ["no JSON", Buffer.from("{"), "LOCKFILE_MALFORMED"],
    [
      "a key twice",
      Buffer.from(`{"lockfileVersion":3,"packages":{"node_modules/x":{},"node_modules/x":{}}}`),
      "LOCKFILE_MALFORMED",
    ],
    [
      "too many packages",
      lock(Object.fromEntries(Array.from({ length: 200_001 }, (_, i) => [`node_modules/p${i}`, {}]))),
      "LOCKFILE_TOO_LARGE",
    ],
  ])("%s is refused", (_, bytes, code) => {
    expect(codeOf(() => parseLockfile(bytes, registryOf))).toBe(code);
  });

  it("version 2 and a key named __proto__ are read", () => {
    const bytes = Buffer.from(
      `{"lockfileVersion":2,"packages":{"node_modules/x":{"version":"1.0.0","__proto__":{"integrity":"${A}"}}},"dependencies":{}}`,
    );
    expect(parseLockfile(bytes, registryOf).packages[0]).toMatchObject({ integrity: { code: "INTEGRITY_MISSING" } });
  });
});

describe("semver 2.0.0", () => {
  it("orders by section 11", () => {
    const order = [
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-alpha.beta",
      "1.0.0-beta",
      "1.0.0-beta.2",
      "1.0.0-beta.11",
      "1.0.0-rc.1",
      "1.0.0",
      "1.9.0",
      "1.10.0",
      "2.0.0",
    ];
    expect(order.toReversed().toSorted(compareVersions)).toEqual(order);
    expect(compareVersions("1.0.0+a", "1.0.0+b")).toBe(0);
    expect([isPrerelease("1.0.0-0"), isPrerelease("1.0.0+a-b")]).toEqual([true, false]);
  });

  it("cleans as a registry does", () => {
    expect([cleanVersion("v1.0.0"), cleanVersion(" =1.0.0+x\n"), cleanVersion("1.0")]).toEqual([
      "1.0.0",
      "1.0.0",
      undefined,
    ]);
  });
});
