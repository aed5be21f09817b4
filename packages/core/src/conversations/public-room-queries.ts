import type { PublicRoomPage } from "@parley/contract";
import { sql } from "drizzle-orm";
import { lastId } from "../cursors.ts";
import type { Database } from "../database/index.ts";
import { readInstant, statement, value, type Written } from "../database/statement.ts";
import type { Place } from "./cursors.ts";
import { hasWords, wordPatterns } from "./search.ts";

type PublicRoom = PublicRoomPage["items"][number];

const page = statement<Record<string, unknown>, Written<PublicRoom>>(
  "public_rooms",
  sql`select id, title, description, tags, updated_at as "updatedAt",
      (select count(*)::int from members where members.conversation_id = conversations.id) as "memberCount",
      exists (select from members where members.conversation_id = conversations.id and user_id = ${value("userId")}::uuid) as "isMember"
    from conversations
    where visibility = 'public' and archived_at is null and (updated_at, id) < (${value("key")}::timestamptz, ${value("id")}::uuid)
      and ${hasWords(sql`title || ' ' || coalesce(description, '')`)}
    order by updated_at desc nulls last, id desc nulls last limit ${value("limit")}::int`,
);

const latest = { key: "infinity", id: lastId };

/** Newest activity first. */
export async function listPublicRooms(
  database: Database,
  { userId, search, after, limit }: { userId: string; search: string | null; after: Place | null; limit: number },
) {
  const rows = await page(database, { userId, patterns: wordPatterns(search), ...(after ?? latest), limit });
  return rows.map((row) => ({
    place: { key: row.updatedAt, id: row.id },
    room: { ...row, updatedAt: readInstant(row.updatedAt) },
  }));
}
