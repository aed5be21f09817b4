import type { ObjectStorage } from "../runtime/types.ts";
import type { AppendedEntry } from "./topic-protocol.ts";

export interface StoredEntry extends Record<string, string | number> {
  seq: number;
  id: string;
  event: string;
}

/** How many entries a topic that numbers itself keeps at least. */
const keptEntries = 256;
const readLimit = 10_000;
const readLength = 512 * 1_024;
/** In characters; SQLite takes 2 MB, and none of them takes more than three bytes. */
const longestEvent = 640 * 1_024;

export type TopicTable = ReturnType<typeof openTopicTable>;

/** The log of one topic in the storage of its object. */
export function openTopicTable({ sql, transactionSync }: Pick<ObjectStorage, "sql" | "transactionSync">) {
  sql.exec(`create table if not exists entries (seq integer primary key, id text not null unique, event text not null);
    create table if not exists state (head integer not null, first integer not null, is_finished integer not null)`);

  function state() {
    const rows = sql.exec<Record<"head" | "first" | "isFinished", number>>(
      "select head, first, is_finished as isFinished from state",
    );
    const [row] = rows.toArray();
    return row && { ...row, isFinished: row.isFinished === 1 };
  }

  function begin(head: number) {
    sql.exec("insert into state (head, first, is_finished) values (?, ?, 0)", head, head + 1);
    return { head, first: head + 1, isFinished: false };
  }

  return {
    state,
    /** A number that was never given before, where the topic begins anew. */
    begin: () => state() ?? begin(Date.now() * 1_000),
    append(entries: readonly AppendedEntry[], isFinished: boolean) {
      transactionSync(() => {
        for (const { seq, id, event } of entries) {
          const { head, first } = state() ?? begin(seq === null ? Date.now() * 1_000 : seq - 1);
          const next = seq ?? head + 1;
          const isKnown = seq === null ? sql.exec("select 1 from entries where id = ?", id).toArray().length > 0 : next <= head;
          if (isKnown) continue;
          sql.exec("update state set head = ?", next);
          // Nobody can have it, and whoever waits for it has to see that.
          if (event.length > longestEvent) {
            forgetBefore(next + 1);
            continue;
          }
          sql.exec("insert into entries (seq, id, event) values (?, ?, ?)", next, id, event);
          // And what was lost on its way.
          if (next !== head + 1) forgetBefore(next);
          if (seq === null && next - first >= keptEntries * 2) forgetBefore(next - keptEntries + 1);
        }
        if (isFinished) sql.exec("update state set is_finished = 1");
      });
    },
    /** What follows a position, in order. */
    read(after: number): StoredEntry[] {
      const found = sql.exec<StoredEntry>(
        "select seq, id, event from entries where seq > ? order by seq limit ?",
        after,
        readLimit,
      );
      let length = 0;
      const entries = found.toArray();
      const end = entries.findIndex(({ event }) => {
        length += event.length;
        return length > readLength;
      });
      return end === -1 ? entries : entries.slice(0, Math.max(1, end));
    },
    forgetBefore,
  };

  function forgetBefore(first: number) {
    sql.exec("delete from entries where seq < ?", first);
    sql.exec("update state set first = ?", first);
  }
}
