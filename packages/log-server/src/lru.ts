/** A map that forgets its longest unused keys when what it keeps weighs more than `limit`, but never the newest. */
export type Lru<V> = { readonly get: (key: string) => V | undefined; readonly set: (key: string, value: V) => void };

/** `weigh` tells how much of the limit a value takes, 1 if left out; always the same of the same value. */
export function createLru<V>(limit: number, weigh: (value: V) => number = () => 1): Lru<V> {
  const kept = new Map<string, V>();
  let weight = 0;
  const remove = (key: string): void => {
    const value = kept.get(key);
    if (value === undefined) return;
    weight -= weigh(value);
    kept.delete(key);
  };
  const set = (key: string, value: V): void => {
    remove(key);
    kept.set(key, value);
    weight += weigh(value);
    for (const oldest of kept.keys()) {
      if (weight <= limit || kept.size === 1) return;
      remove(oldest);
    }
  };
  return {
    set,
    get: (key) => {
      const value = kept.get(key);
      if (value === undefined) return undefined;
      kept.delete(key);
      kept.set(key, value);
      return value;
    },
  };
}
