/** So many at most: what was asked for least recently makes room. */
export function recentlyUsed<Value extends object>(most: number) {
  const entries = new Map<string, Value>();
  return {
    get(key: string): Value | undefined {
      const found = entries.get(key);
      if (!found) return undefined;
      entries.delete(key);
      entries.set(key, found);
      return found;
    },
    set(key: string, value: Value) {
      entries.delete(key);
      const [oldest] = entries.keys();
      if (entries.size >= most && oldest !== undefined) entries.delete(oldest);
      entries.set(key, value);
    },
    delete: (key: string) => entries.delete(key),
    size: () => entries.size,
  };
}
