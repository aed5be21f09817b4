import stringWidth from "string-width";
import { oneLine } from "./clean.ts";
import { bold } from "./style.ts";

export interface Column<Row> {
  title: string;
  value(row: Row): string | number | null;
  isNumber?: boolean;
  /** What one copies: never cut. */
  isWhole?: boolean;
}

/** Columns for a person, with a head; on a pipe, values between tabs and nothing else. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map(({ value }) => oneLine(String(value(row) ?? ""))));
  if (!process.stdout.isTTY) return cells.map((row) => `${row.join("\t")}\n`).join("");
  const head = columns.map(({ title }) => title);
  const shapes = columns.map(({ isNumber = false, isWhole = false }) => ({ isNumber, isWhole }));
  const [first = "", ...lines] = align([head, ...cells], shapes, process.stdout.columns || 80);
  return [bold(first), ...lines, ""].join("\n");
}

interface Shape {
  isNumber?: boolean;
  isWhole?: boolean;
}

const least = 8;

/** Where a line would be longer than `most`, the widest column gives way. */
export function align(rows: readonly (readonly string[])[], shapes: readonly Shape[], most: number): string[] {
  const widths = shapes.map((_, place) => Math.max(0, ...rows.map((row) => stringWidth(row[place] ?? ""))));
  const gaps = 2 * (widths.length - 1);
  while (widths.reduce((sum, width) => sum + width, gaps) > most) {
    const widest = Math.max(...widths.map((width, place) => (shapes[place]?.isWhole ? 0 : width)));
    if (widest <= least) break;
    widths[widths.findIndex((width, place) => width === widest && !shapes[place]?.isWhole)] = widest - 1;
  }
  return rows.map((row) => {
    const line = widths.map((width, place) => {
      const cell = cut(row[place] ?? "", width);
      const space = " ".repeat(width - stringWidth(cell));
      return shapes[place]?.isNumber ? space + isolated(cell) : isolated(cell) + space;
    });
    return line.join("  ").trimEnd();
  });
}

const segments = new Intl.Segmenter();

/** To so many columns, between characters as people see them. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of segments.segment(text)) {
    used += stringWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** A cell in Hebrew or Arabic stays in its column, and does not turn its neighbours around. */
function isolated(cell: string): string {
  return /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u.test(cell) ? `\u2068${cell}\u2069` : cell;
}
