/**
 * Where a follower stands in a run. Opaque outside; the offsets serve once the log is gone and only the text is left, and
 * `failovers` says how often the answer had begun again, since its offsets count from there.
 */
export interface Position {
  seq: number;
  text: number;
  reasoning: number;
  failovers: number;
}

export const start: Position = { seq: 0, text: 0, reasoning: 0, failovers: 0 };

const pattern = /^(\d{1,10})-(\d{1,10})-(\d{1,10})(?:-(\d{1,3}))?$/;

export function formatPosition({ seq, text, reasoning, failovers }: Position): string {
  return failovers === 0 ? `${seq}-${text}-${reasoning}` : `${seq}-${text}-${reasoning}-${failovers}`;
}

/** Null for what we never gave out. */
export function parsePosition(id: string | null | undefined): Position | null {
  if (id === null || id === undefined) return start;
  const match = pattern.exec(id);
  if (!match) return null;
  const [, seq, text, reasoning, failovers = 0] = match;
  return { seq: Number(seq), text: Number(text), reasoning: Number(reasoning), failovers: Number(failovers) };
}
