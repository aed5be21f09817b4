const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Never within what a reader sees as one character: what does not fit whole is left out. */
export function cutAt(text: string, length: number): string {
  if (text.length <= length) return text;
  let end = 0;
  // What comes next, a surrogate pair at most, decides whether it still belongs to the character before it.
  for (const { index, segment } of graphemes.segment(text.slice(0, length + 2))) {
    if (index + segment.length > length) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

/** After a whole word, unless more than half of it would go. */
export function cutAtWord(text: string, length: number): string {
  const cut = cutAt(text, length);
  if (cut === text) return text;
  const lastSpace = cut.lastIndexOf(" ");
  return lastSpace > length / 2 ? cut.slice(0, lastSpace) : cut;
}
