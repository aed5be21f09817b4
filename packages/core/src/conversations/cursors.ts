import { fromBase64Url, toBase64Url } from "../auth/secrets.ts";
import { invalidField } from "../errors.ts";

/** Where a list goes on: what its last row is sorted by, and the row's id. */
export interface Place {
  key: string;
  id: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const ids = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const milliseconds = /^\d{1,13}$/;

/** Says which list it belongs to: a place in one list is none in another. */
export function formatCursor(list: string, { key, id }: Place): string {
  return toBase64Url(encoder.encode(JSON.stringify([list, key, id])));
}

/** The place of a list that is sorted by text. */
export function parseCursor(list: string, cursor: string): Place {
  const read = readCursor(cursor);
  if (!Array.isArray(read) || read.length !== 3 || read[0] !== list) throw notOurs();
  const [, key, id]: unknown[] = read;
  if (typeof key !== "string" || !isStorable(key) || typeof id !== "string" || !ids.test(id)) throw notOurs();
  return { key, id };
}

/** A list that is sorted by time goes on at a millisecond. */
export function formatTimeCursor(list: string, { key, id }: Place): string {
  return formatCursor(list, { key: String(Date.parse(key)), id });
}

export function parseTimeCursor(list: string, cursor: string): Place {
  const { key, id } = parseCursor(list, cursor);
  if (!milliseconds.test(key)) throw notOurs();
  return { key: new Date(Number(key)).toISOString(), id };
}

function readCursor(cursor: string): unknown {
  try {
    const bytes = fromBase64Url(cursor);
    return bytes && JSON.parse(decoder.decode(bytes));
  } catch {
    return null;
  }
}

const isStorable = (text: string) => !text.includes("\0") && text.isWellFormed();

const notOurs = () => invalidField("cursor", "This cursor does not belong to this list");
