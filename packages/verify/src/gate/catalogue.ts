import type { Packument } from "./packument.ts";
import { decodePath } from "./route.ts";
import { servesTarball, type Upstream } from "./upstream.ts";

/** A tarball that a client may ask for, and what it has to be. */
export interface TarballSource {
  name: string;
  version: string;
  upstream: Upstream;
  url: URL;
  /** What the registry and the lockfile say its SHA-512 is, hex; all of them must be right. */
  sha512: ReadonlySet<string>;
}

/** An entry of the lockfile that was verified before the client started. */
export interface ExpectedTarball {
  name: string;
  version: string;
  sha512: string;
  /** Its address in the lockfile. With it no document needs to be fetched for it. */
  resolved: string | undefined;
}

/** Which release lies behind which path. The first to have a path keeps it. */
export interface Catalogue {
  addPackument(packument: Packument, upstream: Upstream): void;
  byPath(path: string): TarballSource | undefined;
  byRelease(name: string, version: string): TarballSource | undefined;
}

export function createCatalogue(
  expected: readonly ExpectedTarball[],
  upstreamFor: (name: string) => Upstream | null,
): Catalogue {
  const paths = new Map<string, TarballSource>();
  const releases = new Map<string, TarballSource>();
  const locked = new Map<string, Set<string>>();

  const add = (source: TarballSource): void => {
    const path = decodePath(source.url.pathname);
    if (path === undefined) return;
    const known = paths.get(path);
    if (!known || (known.name === source.name && known.version === source.version)) paths.set(path, source);
    releases.set(`${source.name}@${source.version}`, source);
  };

  for (const { name, version, sha512, resolved } of expected) {
    const key = `${name}@${version}`;
    const digests = (locked.get(key) ?? new Set()).add(sha512);
    locked.set(key, digests);
    const url = resolved !== undefined && URL.canParse(resolved) ? new URL(resolved) : undefined;
    const upstream = url && upstreamFor(name);
    if (upstream && servesTarball(upstream, url)) add({ name, version, upstream, url, sha512: digests });
  }
  return {
    addPackument({ name, offered }, upstream) {
      for (const { version, tarballUrl, integrity } of offered.values()) {
        const digests = [...(locked.get(`${name}@${version}`) ?? []), ...(integrity.ok ? [integrity.sha512] : [])];
        add({ name, version, upstream, url: new URL(tarballUrl), sha512: new Set(digests) });
      }
    },
    byPath: (path) => paths.get(path),
    byRelease: (name, version) => releases.get(`${name}@${version}`),
  };
}
