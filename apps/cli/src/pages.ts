import { usage } from "./failure.ts";

export const limitOption = { type: "string", short: "n", value: "COUNT", help: "How many at the most; by default 20" } as const;

export function countOf(given: string | undefined, usual = 20): number {
  if (given === undefined) return usual;
  if (!/^[1-9]\d{0,6}$/.test(given)) throw usage(`--limit takes a whole number, not "${given}"`);
  return Number(given);
}

interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** Page after page, until there are so many. */
export async function collect<Item>(
  most: number,
  read: (page: { limit: number; cursor?: string }) => Promise<Page<Item>>,
  pageSize = 100,
): Promise<Page<Item>> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Item> = await read({ limit: Math.min(most - items.length, pageSize), cursor: cursor ?? undefined });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && items.length < most);
  return { items, nextCursor: cursor };
}
