import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { VerifyError } from "../src/errors.ts";
import { readTarball } from "../src/tarball/read-tarball.ts";
import { entry, PACKAGE_JSON, paxEntry, paxRecord, tar, tgz } from "./tarball-builder.ts";

async function codeOf(bytes: Buffer, limits = {}): Promise<string> {
  try {
    await readTarball(bytes, limits);
    return "accepted";
  } catch (error) {
    if (error instanceof VerifyError) return error.code;
    throw error;
  }
}

/** An entry whose name stands in an extended header if it must. */
function named(path: string): Buffer {
  const plain = /^[\x20-\x7e]*$/.test(path);
  return plain ? entry({ path }) : Buffer.concat([paxEntry({ path }), entry({ path: "package/x" })]);
}

const LONG = `package/${"d".repeat(60)}/${"f".repeat(60)}.js`;

describe("I14 paths", () => {
  it.each([
    ["..", "package/../../etc/passwd"],
    [".. as first segment", "../package.json"],
    [".. at the end", "package/lib/.."],
    ["absolute", "/etc/passwd"],
    ["drive letter", "C:/windows/x"],
    ["backslash", "package\\..\\..\\x"],
    ["empty segment", "package//x"],
    ["dot segment", "package/./x"],
    ["control character", "package/a\u001b[2Jb"],
    ["beside the package's directory", "index.js"],
  ])("%s is refused", async (_, path) => {
    expect(await codeOf(tgz(PACKAGE_JSON, { path }))).toBe("TARBALL_PATH");
  });

  it.each([
    ["absolute symbolic link", { type: "2", link: "/etc/passwd" }],
    ["symbolic link with ..", { type: "2", link: "../../x" }],
    ["hard link with ..", { type: "1", link: "package/../../x" }],
    ["hard link to another root", { type: "1", link: "other/x" }],
    ["hard link to the root itself", { type: "1", link: "package" }],
    ["link with a backslash", { type: "2", link: "..\\..\\x" }],
  ])("%s is refused", async (_, link) => {
    expect(await codeOf(tgz(PACKAGE_JSON, { path: "package/l", ...link }))).toBe("TARBALL_LINK");
  });

  it("links that stay inside are read, as no client unpacks them", async () => {
    const bytes = tgz(
      PACKAGE_JSON,
      { path: "package/l", type: "2", link: "lib/a" },
      { path: "package/h", type: "1", link: "package/package.json" },
    );
    expect(await codeOf(bytes)).toBe("accepted");
  });

  it("a file behind a link is refused", async () => {
    expect(
      await codeOf(tgz(PACKAGE_JSON, { path: "package/l", type: "2", link: "lib" }, { path: "package/l/x" })),
    ).toBe("TARBALL_DUPLICATE");
  });
});

describe("I14 duplicates", () => {
  it.each([
    ["the same path", "package/a.js", "package/a.js"],
    ["another case", "package/a.js", "package/A.js"],
    ["another Unicode form", "package/\u00e9.js", "package/e\u0301.js"],
    ["another root directory", "package/a.js", "other/a.js"],
    ["a Windows stream", "package/a.js", "package/a.js::$DATA"],
    ["dots that Windows drops", "package/a.js", "package/a.js."],
    ["a file that is also a directory", "package/a", "package/a/b"],
    ["a directory that is also a file", "package/a/b", "package/a"],
  ])("%s is refused", async (_, first, second) => {
    expect(await codeOf(tgz(PACKAGE_JSON, named(first), named(second)))).toBe("TARBALL_DUPLICATE");
  });

  it("two package.json are refused, and so is none", async () => {
    expect(await codeOf(tgz(PACKAGE_JSON, { ...PACKAGE_JSON, path: "x/package.json" }))).toBe("TARBALL_DUPLICATE");
    expect(await codeOf(tgz({ path: "package/a.js" }))).toBe("TARBALL_PACKAGE_JSON");
    expect(await codeOf(tgz({ path: "package/package.json", type: "2", link: "x.json" }))).toBe("TARBALL_PACKAGE_JSON");
  });

  it("a directory may stand twice", async () => {
    expect(
      await codeOf(
        tgz(
          { path: "package/", type: "5" },
          { path: "package/lib/", type: "5" },
          { path: "package/lib/", type: "5" },
          PACKAGE_JSON,
        ),
      ),
    ).toBe("accepted");
  });
});

describe("I14 extended headers", () => {
  it.each([
    [
      "a path that needs no override",
      [paxEntry({ path: "package/evil.js" }), entry({ path: "package/good.js" })],
      "TARBALL_OVERRIDE",
    ],
    ["another size", [paxEntry({ size: "9" }), entry({ path: "package/a", body: "a" })], "TARBALL_OVERRIDE"],
    [
      "another link",
      [paxEntry({ linkpath: "x" }), entry({ path: "package/a", type: "2", link: "y" })],
      "TARBALL_OVERRIDE",
    ],
    ["a global path", [paxEntry({ path: LONG }, "g")], "TARBALL_OVERRIDE"],
    ["a sparse file by pax", [paxEntry({ "GNU.sparse.major": "1" }), entry({ path: "package/a" })], "TARBALL_OVERRIDE"],
    [
      "a key that stands twice",
      [entry({ path: "x", type: "x", body: Buffer.concat([paxRecord("path", LONG), paxRecord("path", `${LONG}2`)]) })],
      "TARBALL_OVERRIDE",
    ],
    [
      "a line feed in a value",
      [
        entry({
          path: "x",
          type: "x",
          body: paxRecord("comment", `a\n${paxRecord("path", "package/e").toString().trim()}`),
        }),
      ],
      "TARBALL_MALFORMED",
    ],
    ["a record of the wrong length", [entry({ path: "x", type: "x", body: "99 path=a\n" })], "TARBALL_MALFORMED"],
    [
      "a long name that needs none",
      [entry({ path: "././@LongLink", type: "L", body: "package/b\0" }), entry({ path: "package/a" })],
      "TARBALL_OVERRIDE",
    ],
    [
      "two for one entry",
      [paxEntry({ path: LONG }), paxEntry({ path: LONG }), entry({ path: "package/a" })],
      "TARBALL_MALFORMED",
    ],
    ["one without an entry", [paxEntry({ path: LONG })], "TARBALL_MALFORMED"],
  ])("%s is refused", async (_, parts, code) => {
    expect(await codeOf(tgz(PACKAGE_JSON, ...parts))).toBe(code);
  });

  it("a path that is too long for the plain header is read", async () => {
    const path = `package/${"x".repeat(200)}`;
    const bytes = tgz(PACKAGE_JSON, paxEntry({ path, size: "1" }), { path: "package/x", body: "a" });
    expect((await readTarball(bytes)).entries).toBe(2);
    expect(
      await codeOf(
        tgz(PACKAGE_JSON, paxEntry({ path }), { path: "package/x" }, paxEntry({ path }), { path: "package/y" }),
      ),
    ).toBe("TARBALL_DUPLICATE");
  });
});

describe("I14 headers", () => {
  it.each([
    ["a device", { path: "package/d", type: "3" }, "TARBALL_ENTRY_TYPE"],
    ["a GNU sparse file", { path: "package/d", type: "S" }, "TARBALL_ENTRY_TYPE"],
    ["a wrong checksum", { path: "package/d", badChecksum: true }, "TARBALL_MALFORMED"],
    ["a size that is no octal number", { path: "package/d", size: "0000000001z " }, "TARBALL_MALFORMED"],
    ["a size in base 256", { path: "package/d", size: `\x80${"\0".repeat(10)}\x01` }, "TARBALL_MALFORMED"],
    ["a gigantic size", { path: "package/d", size: "77777777777 " }, "TARBALL_TOO_LARGE"],
    ["a directory with a body", { path: "package/d/", type: "5", body: "x" }, "TARBALL_MALFORMED"],
    ["a long prefix", { path: "f", prefix: `package/${"p".repeat(140)}` }, "accepted"],
    ["a name that two programs read differently", { path: "package/a\0\nb" }, "TARBALL_MALFORMED"],
  ])("%s", async (_, raw, code) => {
    expect(await codeOf(tgz(PACKAGE_JSON, raw))).toBe(code);
  });
});

describe("I14 size and ends", () => {
  const good = tgz(PACKAGE_JSON, { path: "package/a.js", body: "a" });

  it("1000:1 compression is refused before it is unpacked", async () => {
    const bomb = tgz(PACKAGE_JSON, { path: "package/z", body: Buffer.alloc(8 * 2 ** 20) });
    expect(await codeOf(bomb, { freeContent: 2 ** 20 })).toBe("TARBALL_TOO_LARGE");
    expect(await codeOf(bomb, { content: 2 ** 20 })).toBe("TARBALL_TOO_LARGE");
    expect(await codeOf(bomb)).toBe("accepted");
  });

  it("the other limits hold", async () => {
    expect(await codeOf(good, { entries: 1 })).toBe("TARBALL_TOO_LARGE");
    expect(await codeOf(good, { compressed: 100 })).toBe("TARBALL_TOO_LARGE");
    expect(await codeOf(good, { packageJson: 10 })).toBe("TARBALL_TOO_LARGE");
  });

  it("data after the gzip member is refused, zero bytes are not", async () => {
    expect(await codeOf(Buffer.concat([good, Buffer.from("x")]))).toBe("TARBALL_TRAILING_DATA");
    expect(await codeOf(Buffer.concat([good, good]))).toBe("TARBALL_TRAILING_DATA");
    expect(await codeOf(Buffer.concat([good, Buffer.alloc(512)]))).toBe("accepted");
  });

  it("data after the tar's end is refused, zero blocks are not", async () => {
    const whole = tar(PACKAGE_JSON);
    expect(await codeOf(gzipSync(Buffer.concat([whole, entry({ path: "package/x" })])))).toBe("TARBALL_TRAILING_DATA");
    expect(await codeOf(gzipSync(Buffer.concat([whole, Buffer.alloc(8192)])))).toBe("accepted");
  });

  it("a cut or changed file is refused at any place", async () => {
    for (const length of [0, 1, 9, 12, 40, good.length - 9, good.length - 8, good.length - 1]) {
      expect(await codeOf(good.subarray(0, length)), `cut at ${length}`).toBe("TARBALL_MALFORMED");
    }
    for (const at of [0, 2, 3, good.length - 1, good.length - 8]) {
      const changed = Buffer.from(good);
      changed[at] = changed[at]! ^ 0xe1;
      expect(await codeOf(changed), `changed at ${at}`).toBe("TARBALL_MALFORMED");
    }
    expect(await codeOf(gzipSync(tar(PACKAGE_JSON).subarray(0, 700)))).toBe("TARBALL_MALFORMED");
  });
});
