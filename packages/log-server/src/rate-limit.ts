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

/** Takes a token of this address; `false` if there is none. */
export type RateLimit = (address: string) => boolean;

type Bucket = { tokens: number; at: number };

export function createRateLimit({ perSecond, burst, clock, addresses = 50_000 }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, Bucket>();
  return (address) => {
    const now = clock();
    const known = buckets.get(address);
    const tokens = known === undefined ? burst : Math.min(burst, known.tokens + ((now - known.at) / 1000) * perSecond);
    buckets.delete(address);
    buckets.set(address, { tokens: tokens < 1 ? tokens : tokens - 1, at: now });
    if (buckets.size > addresses) {
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    }
    return tokens >= 1;
  };
}

/**
 * The address that a request is counted for: that of its connection, or what the proxy in front says in the last X-Forwarded-For. Of one person's IPv6 network,
 * 64 bits count. `undefined` for this machine itself, which is not counted.
 */
export function countedAddress(request: IncomingMessage, behindProxy: boolean): string | undefined {
  const forwarded = request.headers["x-forwarded-for"];
  const last = String(forwarded ?? "")
    .split(",")
    .at(-1)
    ?.trim();
  const address = behindProxy && last ? last.slice(0, 45) : (request.socket.remoteAddress ?? "");
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  if (!behindProxy && (plain === "::1" || plain.startsWith("127."))) return undefined;
  return plain.includes(":") ? plain.split(":").slice(0, 4).join(":") : plain;
}
