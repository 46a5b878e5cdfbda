import { FidoError } from "../error.ts";

/** Where the page stands, and so to which domain its keys belong. */
export interface BrowserPlace {
  /** The WebAuthn rpId, which is the key record's application [K-3]. */
  readonly rpId: string;
  /** The address of a team's page; null: the page is served from this machine, on localhost. */
  readonly page: string | null;
}

const HOST = /^(?=.*[a-z])[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;

/** Whether a device is named that is reached through a browser. */
export function isBrowserSpec(spec: string): boolean {
  return spec === "browser" || spec.startsWith("browser:");
}

/** Reads `browser` or `browser:https://HOST[:PORT]/[PATH/]`. Throws BAD_DEVICE_SPEC. */
export function parseBrowserSpec(spec: string): BrowserPlace {
  if (spec === "browser") return { rpId: "localhost", page: null };
  const address = spec.slice("browser:".length);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!spec.startsWith("browser:") || url === undefined) throw bad();
  const { protocol, hostname, origin, pathname } = url;
  // An address in digits can't be an rpId, and localhost is the page that is served from here.
  if (protocol !== "https:" || !HOST.test(hostname) || hostname === "localhost" || hostname.endsWith(".localhost"))
    throw bad();
  const page = `${origin}${pathname}`;
  if (address !== page && `${address}/` !== page) throw bad();
  return { rpId: hostname, page };
}

function bad(): FidoError {
  return new FidoError("BAD_DEVICE_SPEC", "The page for the browser is not named in a way that can be understood.", {
    hint: "Say browser, or browser:https://HOST/ with the address of your team's page, without ? and #.",
  });
}
