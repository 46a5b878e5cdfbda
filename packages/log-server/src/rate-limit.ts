/** How often one address may ask for what costs something [L-34]: a bucket of tokens each, which fills again by time. */
import type { IncomingMessage } from "node:http";

export type RateLimitOptions = {
  /** Requests a second that an address may make for good, and in one go. */
  readonly perSecond: number;
  readonly burst: number;
  /** Milliseconds, which only go forward. */
  readonly clock: () => number;
  /** Addresses that are remembered at most; the longest unseen one is forgotten first. */
  readonly addresses?: number;
};

export type RateLimit = {
  /** Takes a token of this address; `false` if there is none. */
  readonly take: (address: string) => boolean;
  /** Takes so many more for what was let in; it may leave the address in debt. */
  readonly charge: (address: string, tokens: number) => void;
};

type Bucket = { tokens: number; at: number };

export function createRateLimit({ perSecond, burst, clock, addresses = 50_000 }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, Bucket>();
  const tokensOf = (address: string): number => {
    const known = buckets.get(address);
    return known === undefined ? burst : Math.min(burst, known.tokens + ((clock() - known.at) / 1000) * perSecond);
  };
  const put = (address: string, tokens: number): void => {
    buckets.delete(address);
    buckets.set(address, { tokens, at: clock() });
    if (buckets.size > addresses) {
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    }
  };
  return {
    take: (address) => {
      const tokens = tokensOf(address);
      put(address, tokens < 1 ? tokens : tokens - 1);
      return tokens >= 1;
    },
    charge: (address, tokens) => put(address, tokensOf(address) - tokens),
  };
}

/**
 * The address that a request is counted for: that of its connection or, if that is the proxy's, what the last X-Forwarded-For says; from anybody else that
 * header is a claim. Of one person's IPv6 network, 64 bits count. `undefined` for this machine itself, which is not counted.
 */
export function countedAddress(request: IncomingMessage, proxy: string | undefined): string | undefined {
  const own = plainAddress(request.socket.remoteAddress ?? "");
  const proxied = proxy !== undefined && own === plainAddress(proxy);
  if (!proxied && (own === "::1" || own.startsWith("127."))) return undefined;
  const last = String(request.headers["x-forwarded-for"] ?? "")
    .split(",")
    .at(-1)
    ?.trim();
  const address = proxied && last ? plainAddress(last.slice(0, 45)) : own;
  return address.includes(":") ? networkOf(address) : address;
}

/** The first four groups of an IPv6 address, those that `::` stands for among them. */
function networkOf(address: string): string {
  const [head = "", tail] = address.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(":").filter((group) => group !== "").length;
  return [...groups, ...Array.from({ length: Math.max(0, missing) }, () => "0")].slice(0, 4).join(":");
}

function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
