import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compareTarballs } from "../src/statements/changed-files.ts";

interface Entry {
  path: string;
  body?: string;
  type?: string;
  mode?: string;
  prefix?: string;
}

function entry({ path, body = "", type = "0", mode = "0000644", prefix = "" }: Entry): Buffer {
  const content = Buffer.from(body);
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write(`${mode}\0`, 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write(type, 156);
  header.write("ustar\u000000", 257, "latin1");
  header.write(prefix, 345);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function pack(...entries: Entry[]): Buffer {
  return gzipSync(Buffer.concat([...entries.map(entry), Buffer.alloc(1024)]));
}

function pax(path: string): Entry {
  const rest = ` path=${path}\n`;
  const length = rest.length + String(rest.length + 3).length;
  return { path: "PaxHeader", type: "x", body: `${length}${rest}` };
}

const LONG = `package/${"deep/".repeat(30)}file.js`;

describe("files changed against the base", () => {
  it("changed, new and removed ones are counted; folders and the name of the first part are not", () => {
    const base = pack(
      { path: "package/", type: "5" },
      { path: "package/a.js", body: "a" },
      { path: "package/b.js", body: "b" },
      { path: "package/gone.js" },
    );
    const next = pack(
      { path: "other/a.js", body: "a" },
      { path: "other/b.js", body: "B" },
      { path: "other/new.js" },
      { path: "other/newer.js" },
    );
    expect(compareTarballs(base, next)).toEqual({ changed: 1, added: 2, removed: 1, files: 4 });
    expect(compareTarballs(base, base)).toEqual({ changed: 0, added: 0, removed: 0, files: 3 });
  });

  it("a file that became executable has changed", () => {
    const base = pack({ path: "package/run", body: "x" });
    const next = pack({ path: "package/run", body: "x", mode: "0000755" });
    expect(compareTarballs(base, next)?.changed).toBe(1);
  });

  it("one long name, however it is written, is one name", () => {
    const ways = [
      pack(pax(LONG), { path: "short", body: "x" }),
      pack({ path: "././@LongLink", type: "L", body: `${LONG}\0` }, { path: "short", body: "x" }),
      pack({ path: LONG.slice(98), prefix: LONG.slice(0, 97), body: "x" }),
    ];
    for (const one of ways)
      for (const other of ways) expect(compareTarballs(one, other)).toMatchObject({ changed: 0, added: 0, files: 1 });
  });

  it("what cannot be read is not compared", () => {
    const good = pack({ path: "package/a.js" });
    expect(compareTarballs(good, Buffer.from("no gzip"))).toBeNull();
    expect(compareTarballs(gzipSync(entry({ path: "package/a.js", body: "cut" }).subarray(0, 512)), good)).toBeNull();
  });
});
