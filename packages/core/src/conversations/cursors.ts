import { isStorable } from "@parley/contract";
import { fromBase64Url, toBase64Url } from "../auth/secrets.ts";
import { foreignCursor, uuid } from "../cursors.ts";

/** Where a list goes on: what its last row is sorted by, and the row's id. */
export interface Place {
  key: string;
  id: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const ids = new RegExp(`^${uuid}$`);
const milliseconds = /^\d{1,13}$/;

/** Says which list it belongs to: a place in one list is none in another. */
export function formatCursor(list: string, { key, id }: Place): string {
  return toBase64Url(encoder.encode(JSON.stringify([list, key, id])));
}

/** The place of a list that is sorted by text. */
export function parseCursor(list: string, cursor: string): Place {
  const read = readCursor(cursor);
  if (!Array.isArray(read) || read.length !== 3 || read[0] !== list) throw foreignCursor();
  const [, key, id]: unknown[] = read;
  if (typeof key !== "string" || !isStorable(key) || typeof id !== "string" || !ids.test(id)) throw foreignCursor();
  return { key, id };
}

/** A list that is sorted by time goes on at a millisecond. */
export function formatTimeCursor(list: string, { key, id }: Place): string {
  return formatCursor(list, { key: String(Date.parse(key)), id });
}

export function parseTimeCursor(list: string, cursor: string): Place {
  const { key, id } = parseCursor(list, cursor);
  if (!milliseconds.test(key)) throw foreignCursor();
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
