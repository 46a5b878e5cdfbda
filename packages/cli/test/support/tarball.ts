import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

export interface PackedPackage {
  name: string;
  version: string;
  tarball: Buffer;
  /** SRI. */
  integrity: string;
  /** SHA-1, hex. */
  shasum: string;
}

/** A package's .tgz, the same bytes each time. */
export function packPackage(
  name: string,
  version: string,
  content = `module.exports = "${name} ${version}";\n`,
  manifest: object = {},
): PackedPackage {
  const files = {
    "package/package.json": JSON.stringify({ name, version, main: "index.js", ...manifest }),
    "package/index.js": content,
  };
  const entries = Object.entries(files).flatMap(([path, body]) => [
    header(path, body.length),
    padded(Buffer.from(body)),
  ]);
  const tarball = gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
  return {
    name,
    version,
    tarball,
    integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
    shasum: createHash("sha1").update(tarball).digest("hex"),
  };
}

function header(path: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(path, 0);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${size.toString(8).padStart(11, "0")} `, 124);
  block.write("00000000000\0", 136);
  block.write("        0", 148);
  block.write("ustar\u000000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
