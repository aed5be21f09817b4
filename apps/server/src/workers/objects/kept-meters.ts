import { type Counted, createMeters, spanTotals } from "@parley/core/metrics";
import type { ObjectStorage } from "@parley/platform/workers/runtime";

/** Sums that outlive their object: a row for each instrument. */
export function keptMeters({ sql }: Pick<ObjectStorage, "sql">, table: "counted" | "unread") {
  const { instruments } = createMeters();
  // On Node its exporters are asked when somebody reads.
  instruments.counter(spanTotals);
  sql.exec(`create table if not exists ${table} (name text primary key, cells text not null)`);
  for (const { name, cells } of sql.exec<{ name: string; cells: string }>(`select name, cells from ${table}`).toArray()) {
    instruments.add([{ name, cells: JSON.parse(cells) }]);
  }

  return {
    all: instruments.all,
    add(counted: Counted): void {
      instruments.add(counted);
      const changed = new Set(counted.map(({ name }) => name));
      for (const { name, cells } of instruments.all) {
        if (!changed.has(name)) continue;
        sql.exec(`insert or replace into ${table} (name, cells) values (?, ?)`, name, JSON.stringify([...cells()]));
      }
    },
    take(): Counted {
      sql.exec(`delete from ${table}`);
      return instruments.take();
    },
  };
}
