import { createHash } from "node:crypto";
import { type RawEntry, tgz } from "../../packages/verify/test/tarball-builder.ts";

/** A release as a registry gets it. */
export interface Packed {
  name: string;
  version: string;
  manifest: Readonly<Record<string, unknown>>;
  tarball: Buffer;
  /** SRI with sha512. */
  integrity: string;
  /** SHA-1, hex: what registries gave before there was more. */
  shasum: string;
}

export interface PackWish {
  name: string;
  version: string;
  /** Further fields of package.json. */
  manifest?: Readonly<Record<string, unknown>>;
  /** Path in the package to content. */
  files?: Readonly<Record<string, string>>;
  /** Entries that no honest program writes. */
  entries?: readonly (RawEntry | Buffer)[];
}

/** Packs a release; the same wish gives the same bytes. */
export function packRelease({ name, version, manifest = {}, files, entries = [] }: PackWish): Packed {
  const document = { name, version, main: "index.js", ...manifest };
  const content = { "index.js": `module.exports = "${name} ${version}";\n`, ...files };
  const tarball = tgz(
    { path: "package/package.json", body: JSON.stringify(document) },
    ...Object.entries(content).map(([path, body]): RawEntry => ({ path: `package/${path}`, body })),
    ...entries,
  );
  return packedAs(document, tarball);
}

/** Any bytes, to be passed off as a release. */
export function packedAs(manifest: { name: string; version: string }, tarball: Buffer): Packed {
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const shasum = createHash("sha1").update(tarball).digest("hex");
  return { name: manifest.name, version: manifest.version, manifest: { ...manifest }, tarball, integrity, shasum };
}

/** `widget-1.0.0.tgz`; a scope's slash as a dash. */
export function tarballFile({ name, version }: { name: string; version: string }): string {
  return `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
}

/** Where the registry at this address has the tarball. */
export function tarballUrl(registry: string, { name, version }: { name: string; version: string }): string {
  return `${registry}${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
}

/** Publishes as whoever has the registry account: with the request that `npm publish` makes, and without its checks. */
export async function putRelease(registry: string, packed: Packed, tag = "latest"): Promise<void> {
  const { name, version, manifest, tarball, integrity, shasum } = packed;
  const dist = { integrity, shasum, tarball: tarballUrl(registry, packed) };
  const file = `${name}-${version}.tgz`;
  const attachment = {
    content_type: "application/octet-stream",
    data: tarball.toString("base64"),
    length: tarball.length,
  };
  const response = await fetch(`${registry}${name.replace("/", "%2f")}`, {
    method: "PUT",
    headers: { "content-type": "application/json", authorization: "Bearer anybody" },
    body: JSON.stringify({
      _id: name,
      name,
      "dist-tags": { [tag]: version },
      versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
      _attachments: { [file]: attachment },
    }),
  });
  if (!response.ok)
    throw new Error(`The registry answered ${response.status} to ${name}@${version}: ${await response.text()}`);
}
