import type { Context } from "../context.ts";
import { print, printJson } from "./say.ts";
import { type Column, table } from "./table.ts";

/** A page as a table, or whole as JSON. */
export function printList<Row>({ json }: Context, page: { items: Row[] }, columns: Column<Row>[]): void {
  if (json) printJson(page);
  else print(table(page.items, columns));
}
