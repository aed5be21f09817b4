import { advisoryLocks } from "@parley/core/database";
import type { ISql, Sql } from "postgres";
import {
  type Batch,
  keptEntries,
  keptHeadsMs,
  keptMs,
  type LogStore,
  readLength,
  readLimit,
  type Stretch,
  trimmedMs,
} from "../shared/event-log/log-store.ts";

const channel = "parley_log";
/** A notification holds less than 8,000 bytes. */
const partLength = 7_900;
const maxKnown = 10_000;

interface ReadRow {
  nth: string;
  head: string | null;
  seq: string | null;
  id: string;
  event: string;
  has_next: boolean;
}

/** Unlogged tables and notifications. Nodes number a topic one after the other: its head stays locked until the entries are there. */
export function postgresLogStore(client: Sql): LogStore {
  /** Topics whose head is there: one statement less for each flush. */
  const known = new Set<string>();
  let unlisten = async () => {};

  async function ensureHeads(topics: string[]) {
    const unknown = topics.filter((topic) => !known.has(topic));
    if (unknown.length === 0) return;
    if (known.size > maxKnown) known.clear();
    // In a statement of its own, and sorted: nobody waits here with another lock in hand.
    await client`
      insert into event_heads (topic, seq)
      select topic, floor(extract(epoch from clock_timestamp()) * 1000)::bigint * 1000
      from unnest(${unknown}::text[]) as unknown(topic)
      order by topic
      on conflict do nothing`;
    for (const topic of unknown) known.add(topic);
  }

  return {
    async write({ byStore, byWriter, message }) {
      const topics = byStore.map(({ topic }) => topic).sort();
      await ensureHeads(topics);
      const [, moved, placed] = await client.begin((sql) => [
        lockHeads(sql, topics),
        numberEntries(sql, byStore),
        placeEntries(sql, byWriter),
        sql`select pg_notify(${channel}, part) from unnest(${partsOf(message)}::text[]) as parts(part)`,
      ]);
      const heads = new Map(moved.map(({ topic, seq }) => [topic, Number(seq)]));
      const lost = topics.filter((topic) => !heads.has(topic));
      if (lost.length > 0) {
        for (const topic of lost) known.delete(topic);
        throw new Error("A topic was swept while it was written to");
      }
      return { heads, stands: new Map(placed.map(({ topic, head }) => [topic, head === null ? null : Number(head)])) };
    },

    async read(positions) {
      const rows = await client<ReadRow[]>`
        select asked.nth, heads.seq as head, kept.seq, kept.id, kept.event, kept.has_next
        from unnest(${positions.map(({ topic }) => topic)}::text[], ${positions.map(({ after }) => String(after))}::bigint[])
          with ordinality as asked(topic, after, nth)
        left join event_heads as heads on heads.topic = asked.topic
        left join lateral (
          select seq, id, event, has_next from (
            select seq, id, event, lead(seq) over following is not null as has_next,
              sum(octet_length(event)) over following - octet_length(event) as length_before
            from (
              select seq, id, event from event_log where topic = asked.topic and seq > asked.after
              order by seq limit ${readLimit + 1}
            ) as near
            window following as (order by seq)
          ) as measured
          where length_before < ${readLength} order by seq limit ${readLimit}
        ) as kept on true
        order by asked.nth, kept.seq`;
      const stretches: Stretch[] = positions.map(() => ({ head: null, entries: [], isCut: false }));
      for (const { nth, head, seq, id, event, has_next } of rows) {
        const stretch = stretches[Number(nth) - 1];
        if (!stretch) continue;
        stretch.head = head === null ? null : Number(head);
        if (seq === null) continue;
        stretch.entries.push({ seq: Number(seq), id, event });
        stretch.isCut = has_next;
      }
      return stretches;
    },

    async head(topic) {
      for (let tries = 1; ; tries++) {
        const [row] = await client<{ seq: string }[]>`select seq from event_heads where topic = ${topic}`;
        if (row) return Number(row.seq);
        if (tries > 3) throw new Error("A topic could not be begun");
        known.delete(topic);
        await ensureHeads([topic]);
      }
    },

    listen({ onMessage, onReady }) {
      let held = "";
      const onPart = (part: string) => {
        const [left = ""] = part.split(":", 1);
        held += part.slice(left.length + 1);
        if (left !== "0") return;
        const message = held;
        held = "";
        onMessage(message);
      };
      const onListening = () => {
        held = "";
        onReady();
      };
      const listening = client.listen(channel, onPart, onListening);
      unlisten = () => listening.then((meta) => meta.unlisten());
      // The driver tries again by itself.
      listening.catch(() => {});
    },

    async sweep(topics) {
      await client.begin(async (sql) => {
        // One node at a time: they would delete the same rows in different orders.
        await sql`select pg_advisory_xact_lock(${advisoryLocks.eventLogSweep}::bigint)`;
        await sql`delete from event_log where topic = any(${topics}::text[])`;
        await sql`delete from event_log where created_at < now() - ${keptMs} * interval '1 millisecond'`;
        await sql`
          delete from event_log as kept using event_heads as heads
          where heads.updated_at > now() - ${trimmedMs} * interval '1 millisecond'
            and kept.topic = heads.topic and kept.seq <= heads.seq - ${keptEntries}`;
        const old = await sql`
          select topic from event_heads where updated_at < now() - ${keptHeadsMs} * interval '1 millisecond'
          order by topic limit 10000 for update skip locked`;
        await sql`delete from event_heads where topic = any(${old.map(({ topic }) => String(topic))}::text[])`;
      });
    },

    async close() {
      await unlisten().catch(() => {});
    },
  };
}

/** The lock is a statement of its own: the next one sees what others have committed until then. */
function lockHeads(sql: ISql, topics: string[]) {
  return sql`select 1 from event_heads where topic = any(${topics}::text[]) order by topic for update`;
}

/** What a repetition has from its writer already is told by the last of its counts that is there, which is near the end. */
function numberEntries(sql: ISql, byStore: Batch["byStore"]) {
  const given = byStore.flatMap(({ topic, entries }) => entries.map((entry) => ({ topic, ...entry })));
  const repeated = byStore.filter(({ isRepeated }) => isRepeated);
  return sql<{ topic: string; seq: string }[]>`
    with known as (
      select repeated.topic, repeated.writer, last.count
      from unnest(
        ${repeated.map(({ topic }) => topic)}::text[], ${repeated.map(({ entries }) => writerOf(entries))}::text[]
      ) as repeated(topic, writer)
      cross join lateral (
        select split_part(kept.id, ':', 2)::bigint as count from event_log as kept
        where kept.topic = repeated.topic and split_part(kept.id, ':', 1) = repeated.writer
        order by kept.seq desc limit 1
      ) as last
    ), given as (
      select given.topic, given.id, given.event, given.nth
      from unnest(
        ${given.map(({ topic }) => topic)}::text[], ${given.map(({ id }) => id)}::text[], ${given.map(({ event }) => event)}::text[]
      ) with ordinality as given(topic, id, event, nth)
      left join known on known.topic = given.topic and known.writer = split_part(given.id, ':', 1)
      where known.count is null or split_part(given.id, ':', 2)::bigint > known.count
    ), moved as (
      update event_heads as heads
      set seq = heads.seq + batch.hole + (select count(*) from given where given.topic = heads.topic), updated_at = now()
      from unnest(
        ${byStore.map(({ topic }) => topic)}::text[], ${byStore.map(({ hasHole }) => (hasHole ? 1 : 0))}::int[]
      ) as batch(topic, hole)
      where heads.topic = batch.topic
      returning heads.topic, heads.seq
    ), kept as (
      insert into event_log (topic, seq, id, event)
      select given.topic,
        moved.seq - count(*) over (partition by given.topic) + row_number() over (partition by given.topic order by given.nth),
        given.id, given.event
      from given join moved on moved.topic = given.topic
    )
    select topic, seq from moved`;
}

/** Answers where each topic is then: where its last entry is another than the writer takes it to be, nothing is added. */
function placeEntries(sql: ISql, byWriter: Batch["byWriter"]) {
  const given = byWriter.flatMap(({ topic, entries }) => entries.map((entry) => ({ topic, ...entry })));
  return sql<{ topic: string; head: string | null }[]>`
    with standing as (
      select topic, after, (select max(seq) from event_log as kept where kept.topic = batch.topic) as head
      from unnest(
        ${byWriter.map(({ topic }) => topic)}::text[],
        ${byWriter.map(({ after }) => (after === null ? null : String(after)))}::bigint[]
      ) as batch(topic, after)
    ), kept as (
      insert into event_log (topic, seq, id, event)
      select given.topic, given.seq, given.id, given.event
      from unnest(
        ${given.map(({ topic }) => topic)}::text[], ${given.map(({ seq }) => String(seq))}::bigint[],
        ${given.map(({ id }) => id)}::text[], ${given.map(({ event }) => event)}::text[]
      ) as given(topic, seq, id, event)
      join standing on standing.topic = given.topic
      where standing.after is null or standing.after = standing.head
      on conflict do nothing
      returning topic, seq
    )
    select topic, coalesce((select max(seq) from kept where kept.topic = standing.topic and kept.seq > coalesce(head, -1)), head) as head
    from standing`;
}

const writerOf = ([entry]: { id: string }[]) => entry?.id.slice(0, entry.id.lastIndexOf(":")) ?? "";

/** Each with the number of parts that follow: equal parts of one transaction would arrive once. */
function partsOf(message: string): string[] {
  const ascii = message.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const count = Math.ceil(ascii.length / partLength);
  return Array.from({ length: count }, (_, index) => {
    return `${count - 1 - index}:${ascii.slice(index * partLength, (index + 1) * partLength)}`;
  });
}
