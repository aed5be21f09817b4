import { AppError } from "../errors.ts";

const pattern = /^(\d{1,13})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Where a list goes on: the last row's time, in milliseconds, and its id. */
export function formatCursor(time: Date, id: string): string {
  return `${time.getTime()}_${id}`;
}

export function parseCursor(cursor: string): { activeAt: string; id: string } {
  const [, milliseconds, id] = pattern.exec(cursor) ?? [];
  if (milliseconds === undefined || id === undefined) throw new AppError("invalid_input", "This cursor is not one of ours");
  return { activeAt: new Date(Number(milliseconds)).toISOString(), id };
}
