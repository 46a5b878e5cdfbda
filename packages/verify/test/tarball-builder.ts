import { gzipSync } from "node:zlib";

export interface RawEntry {
  path: string;
  body?: string | Buffer;
  type?: string;
  link?: string;
  prefix?: string;
  /** The size field as it stands; the body's size if left out. */
  size?: string;
  magic?: string;
  /** Breaks the checksum. */
  badChecksum?: boolean;
  padding?: number;
}

export const PACKAGE_JSON: RawEntry = {
  path: "package/package.json",
  body: JSON.stringify({ name: "widget", version: "1.0.0", scripts: { test: "true" } }),
};

/** One header and body, with nothing checked: these are the archives that no honest program writes. */
export function entry(raw: RawEntry): Buffer {
  const body = Buffer.from(raw.body ?? "");
  const block = Buffer.alloc(512);
  block.write(raw.path, 0, 100);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(raw.size ?? `${body.length.toString(8).padStart(11, "0")} `, 124, 12, "latin1");
  block.write("00000000000\0", 136);
  block.write(raw.type ?? "0", 156, "latin1");
  block.write(raw.link ?? "", 157, 100);
  block.write(raw.magic ?? "ustar\u000000", 257, "latin1");
  block.write(raw.prefix ?? "", 345, 155);
  block.write("        ", 148);
  const sum = block.reduce((total, byte) => total + byte, raw.badChecksum ? 1 : 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512, raw.padding ?? 0)]);
}

export function paxEntry(records: Record<string, string>, type = "x"): Buffer {
  const body = Object.entries(records).map(([key, value]) => paxRecord(key, value));
  return entry({ path: "PaxHeader/x", type, body: Buffer.concat(body) });
}

export function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

export function tar(...parts: (RawEntry | Buffer)[]): Buffer {
  return Buffer.concat([...parts.map((part) => (Buffer.isBuffer(part) ? part : entry(part))), Buffer.alloc(1024)]);
}

export function tgz(...parts: (RawEntry | Buffer)[]): Buffer {
  return gzipSync(tar(...parts));
}
