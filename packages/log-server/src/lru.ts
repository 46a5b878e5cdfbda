/** A map that forgets its longest unused key when it has more than `limit`. */
export type Lru<V> = { readonly get: (key: string) => V | undefined; readonly set: (key: string, value: V) => void };

export function createLru<V>(limit: number): Lru<V> {
  const kept = new Map<string, V>();
  const set = (key: string, value: V): void => {
    kept.delete(key);
    kept.set(key, value);
    if (kept.size <= limit) return;
    for (const oldest of kept.keys()) {
      kept.delete(oldest);
      return;
    }
  };
  return {
    set,
    get: (key) => {
      const value = kept.get(key);
      if (value !== undefined) set(key, value);
      return value;
    },
  };
}
