/** What happened, and when: printed at the end. */
export function startChronicle() {
  const startedAt = Date.now();
  const lines: { at: number; text: string }[] = [];
  return {
    tell(text: string, at = Date.now()) {
      lines.push({ at, text });
    },
    print() {
      const sorted = lines.toSorted((one, other) => one.at - other.at);
      return sorted.map(({ at, text }) => `${((at - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${text}`).join("\n");
    },
  };
}
