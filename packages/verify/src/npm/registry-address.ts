/** Tells the policy's name of the registry that an address belongs to, `undefined` for none. */
export type RegistryOf = (url: URL) => string | undefined;

/**
 * From registry names to the addresses that serve them [P-3]. Scheme, host and port must be the same and the path below the address,
 * compared after URL parsing; addresses with a user, a query or a fragment belong to none. Throws a `TypeError` for an address that is no URL.
 */
export function registryMatcher(registries: Readonly<Record<string, readonly string[]>>): RegistryOf {
  const known = Object.entries(registries).flatMap(([name, addresses]) =>
    addresses.map((address) => ({ name, base: baseOf(address) })),
  );
  return (url) => {
    if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return undefined;
    return known.find(({ base }) => url.origin === base.origin && url.pathname.startsWith(base.pathname))?.name;
  };
}

/** The address of a registry with a slash at its end. */
export function baseOf(address: string): URL {
  const base = new URL(address);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

/**
 * Whether a tarball's address is that of this release. In the layout that nearly all registries use (`…/name/-/name-version.tgz`) it must name it;
 * other layouts say nothing, and there the package.json in the tarball decides.
 */
export function addressFits(url: URL, name: string, version: string): boolean {
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    return false;
  }
  const dash = path.indexOf("/-/");
  if (dash < 0) return true;
  const file = path.slice(dash + 3);
  const plain = name.slice(name.indexOf("/") + 1);
  const before = path.slice(0, dash);
  // A scope before a plain name makes it the name of somebody else's package.
  const scoped = plain === name && /\/@[^/]*$/.test(before.slice(0, -name.length - 1));
  const named = before.endsWith(`/${name}`) && !scoped;
  return named && [plain, name].some((stem) => file === `${stem}-${version}.tgz`);
}
