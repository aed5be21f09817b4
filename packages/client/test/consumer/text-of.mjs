/** What a follower sees. A delta that does not continue where the last one ended is a gap or a repetition. */
export async function textOf(events) {
  const seen = { text: "", status: null, deltas: 0, gaps: 0 };
  for await (const event of events) {
    if (event.type === "text-delta") {
      if (event.offset !== seen.text.length) seen.gaps++;
      seen.text += event.text;
      seen.deltas++;
    }
    if (event.type === "run-end") {
      if (event.length !== seen.text.length) seen.gaps++;
      seen.status = event.status;
    }
  }
  return seen;
}
