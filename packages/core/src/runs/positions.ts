/**
 * Where a follower stands in a run. Opaque outside; the offsets serve once the log is gone and only the text is left,
 * `failovers` says how often the answer had begun again, since its offsets count from there, and `tools` how many calls and
 * results of tools have been handed over.
 */
export interface Position {
  seq: number;
  text: number;
  reasoning: number;
  failovers: number;
  tools: number;
  /** Of what is saved at this number there was more to hand over: no log can go on from here. */
  isWithin: boolean;
}

export const beginning: Position = { seq: 0, text: 0, reasoning: 0, failovers: 0, tools: 0, isWithin: false };

const pattern = /^(\d{1,10})-(\d{1,10})-(\d{1,10})(?:-(\d{1,3}))?(?:-(\d{1,4}))?(~?)$/;

export function formatPosition({ seq, text, reasoning, failovers, tools, isWithin }: Position): string {
  const plain = `${seq}-${text}-${reasoning}`;
  const within = isWithin ? "~" : "";
  if (tools > 0) return `${plain}-${failovers}-${tools}${within}`;
  return failovers > 0 ? `${plain}-${failovers}${within}` : `${plain}${within}`;
}

/** Null for what we never gave out. */
export function parsePosition(id: string | null | undefined): Position | null {
  if (id === null || id === undefined) return beginning;
  const match = pattern.exec(id);
  if (!match) return null;
  const [, seq, text, reasoning, failovers = 0, tools = 0, within] = match;
  return {
    seq: Number(seq),
    text: Number(text),
    reasoning: Number(reasoning),
    failovers: Number(failovers),
    tools: Number(tools),
    isWithin: within === "~",
  };
}
