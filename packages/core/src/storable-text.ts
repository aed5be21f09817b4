export type StorableText = ReturnType<typeof createStorableText>;

/**
 * Makes text that Postgres stores as it is, so that what was streamed and what was saved are the same: a surrogate
 * pair that arrives in two pieces is kept together, a lone surrogate and NUL become the replacement character.
 */
export function createStorableText() {
  let half = "";
  return {
    add(piece: string): string {
      const text = half + piece;
      half = "";
      if (!endsInHalf(text)) return storable(text);
      half = text.slice(-1);
      return storable(text.slice(0, -1));
    },
    rest(): string {
      const text = half;
      half = "";
      return storable(text);
    },
  };
}

function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

function storable(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.includes("\0") ? wellFormed.replaceAll("\0", "\ufffd") : wellFormed;
}
