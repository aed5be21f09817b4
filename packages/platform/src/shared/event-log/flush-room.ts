export type FlushRoom = ReturnType<typeof createFlushRoom>;

/** What one flush has room for: a store that is given too much at once answers too late, each time again. */
export function createFlushRoom({ maxEntries, maxLength }: { maxEntries: number; maxLength: number }) {
  let count = 0;
  let length = 0;
  return {
    /** The first one has room in any case. */
    takes(text: string): boolean {
      if (count > 0 && (count >= maxEntries || length + text.length > maxLength)) return false;
      count++;
      length += text.length;
      return true;
    },
  };
}
