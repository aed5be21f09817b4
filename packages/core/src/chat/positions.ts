/** Where a follower stands in a run. Opaque outside; the offsets serve once the log is gone and only the text is left. */
export interface Position {
  seq: number;
  text: number;
  reasoning: number;
}

export const start: Position = { seq: 0, text: 0, reasoning: 0 };

const pattern = /^(\d{1,10})-(\d{1,10})-(\d{1,10})$/;

export function formatPosition({ seq, text, reasoning }: Position): string {
  return `${seq}-${text}-${reasoning}`;
}

/** Null for what we never gave out. */
export function parsePosition(id: string | null | undefined): Position | null {
  if (id === null || id === undefined) return start;
  const match = pattern.exec(id);
  return match && { seq: Number(match[1]), text: Number(match[2]), reasoning: Number(match[3]) };
}
