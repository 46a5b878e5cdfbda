import type { World } from "@touchmark/core";

/** What a consumer's rules know beside a package's own entries [V-41]: which committees count, and nothing of other packages. */
export function consumerWorld(origin: string): World {
  return {
    origin,
    chartered: () => true,
    recognised: new Map(),
    state: () => undefined,
    releaseTime: () => undefined,
    lenient: true,
  };
}
