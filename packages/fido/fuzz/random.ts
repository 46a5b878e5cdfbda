/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  bytes(length: number): Uint8Array;
  pick<T>(list: readonly [T, ...T[]]): T;
}

/** mulberry32, begun at a mix of both numbers, so that every case can be had alone. */
export function createRandom(seed: number, index: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
  const below = (limit: number): number => next() % limit;
  return {
    below,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
    pick: (list) => list[below(list.length)] ?? list[0],
  };
}

/** One to four changes: bits flipped, bytes put in, left out, repeated or cut, a part of something else. */
export function mutate(random: Random, bytes: Uint8Array, others: readonly Uint8Array[] = []): Uint8Array {
  let out = Buffer.from(bytes);
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(out.length + 1);
    const [before, after] = [out.subarray(0, at), out.subarray(at)];
    switch (random.below(7)) {
      case 0:
        out = Buffer.from(before);
        break;
      case 1:
        out = Buffer.concat([before, random.bytes(1 + random.below(8)), after]);
        break;
      case 2:
        out = Buffer.concat([before, after.subarray(1 + random.below(8))]);
        break;
      case 3:
        out = Buffer.concat([before, ...Array.from({ length: random.below(200) }, () => after.subarray(0, 9)), after]);
        break;
      case 4: {
        const other = others[random.below(Math.max(1, others.length))] ?? bytes;
        const from = random.below(other.length + 1);
        out = Buffer.concat([before, other.subarray(from, from + random.below(64)), after]);
        break;
      }
      default:
        if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 + random.below(255));
    }
  }
  return new Uint8Array(out.subarray(0, 20_000));
}
