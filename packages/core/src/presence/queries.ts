import type { Person } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import { memberIds } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import { personJson } from "../users/person.ts";

/** The database's clock decides: nodes may disagree about the time. */
const leaseMs = 90_000;

const milliseconds = (name: string) => sql`make_interval(secs => ${value(name)}::float8 / 1000)`;

const lockKey = (name: string) => sql`pg_advisory_xact_lock(hashtextextended('presence:' || ${value(name)}, 0))`;

const lockForEntry = statement<{ sessionId: string; conversationId: string }, never>(
  "lock_presence_entry",
  sql`select ${lockKey("sessionId")}, ${lockKey("conversationId")}`,
);

const lockRoom = statement<{ conversationId: string }, never>("lock_presence_room", sql`select ${lockKey("conversationId")}`);

/** The session too: it counts its rooms. */
export async function lockPresenceForEntry(transaction: Database, where: { sessionId: string; conversationId: string }) {
  await lockForEntry(transaction, where);
}

/** Who is in a room changes in turn. */
export async function lockPresence(transaction: Database, conversationId: string) {
  await lockRoom(transaction, { conversationId });
}

const persons = sql`coalesce(json_agg(${personJson(sql`users`)} order by users.id), '[]')`;

/** Whoever is no member any more is not seen, even while a row says so. */
const present = sql`select presences.user_id, presences.session_id from presences
  join members on members.conversation_id = presences.conversation_id and members.user_id = presences.user_id
  where presences.conversation_id = ${value("conversationId")}::uuid`;

const toldIds = sql`${memberIds(sql`${value("conversationId")}::uuid`)} as "memberIds"`;

interface Entry {
  conversationId: string;
  userId: string;
  sessionId: string;
}

interface EntryResult {
  /** False when the session is in as many rooms as it may be. */
  isIn: boolean;
  /** Through another device, or before. */
  wasIn: boolean;
  users: Person[];
  memberIds: string[];
}

const enter = statement<Record<string, unknown>, EntryResult>(
  "enter_room",
  sql`with present as (${present}),
    entered as (
      insert into presences (conversation_id, user_id, session_id, until)
      select members.conversation_id, members.user_id, ${value("sessionId")}::uuid, now() + ${milliseconds("leaseMs")}
      from members where members.conversation_id = ${value("conversationId")}::uuid and members.user_id = ${value("userId")}::uuid
        and (select count(*) from presences where session_id = ${value("sessionId")}::uuid
          and conversation_id <> ${value("conversationId")}::uuid) < ${value("maxRooms")}::int
      on conflict (conversation_id, user_id, session_id) do update set until = excluded.until
      returning user_id)
    select exists (select from entered) as "isIn", exists (select from present where user_id = mine.user_id) as "wasIn",
      (select ${persons} from users where id = mine.user_id or id in (select user_id from present)) as users, ${toldIds}
    from members mine
    where mine.conversation_id = ${value("conversationId")}::uuid and mine.user_id = ${value("userId")}::uuid`,
);

/** Null for a room that does not exist and for one that this person is not a member of. */
export async function enterRoom(transaction: Database, entry: Entry, maxRooms: number): Promise<EntryResult | null> {
  const [entered] = await enter(transaction, { ...entry, maxRooms, leaseMs });
  return entered ?? null;
}

/** Which presences end: a session's, a person's, or whosever. */
export interface Departure {
  sessionId: string | null;
  userId: string | null;
  /** Only those that were last renewed so long ago; null for all. */
  unrenewedMs: number | null;
}

/** What nobody has renewed in its time. */
export const expiredPresences: Departure = { sessionId: null, userId: null, unrenewedMs: leaseMs };

interface DepartureResult {
  /** Who was in the room and no longer is, through any device. */
  leftIds: string[];
  users: Person[];
  memberIds: string[];
}

const ending = sql`(${value("sessionId")}::uuid is null or session_id = ${value("sessionId")}::uuid)
  and (${value("userId")}::uuid is null or user_id = ${value("userId")}::uuid)
  and (${value("unrenewedMs")}::float8 is null
    or until <= now() + ${milliseconds("leaseMs")} - ${milliseconds("unrenewedMs")})`;

const leave = statement<Record<string, unknown>, DepartureResult>(
  "leave_room",
  // The rows that go are still there for the rest of the statement.
  sql`with ended as (
      delete from presences where conversation_id = ${value("conversationId")}::uuid and ${ending} returning user_id, session_id),
    remaining as (select user_id from (${present}) as present where (user_id, session_id) not in (select user_id, session_id from ended))
    select (select coalesce(json_agg(distinct user_id), '[]') from ended where user_id not in (select user_id from remaining)) as "leftIds",
      (select ${persons} from users where id in (select user_id from remaining)) as users, ${toldIds}`,
);

export async function leaveRoom(
  transaction: Database,
  { conversationId, ...departure }: Departure & { conversationId: string },
): Promise<DepartureResult> {
  const [left] = await leave(transaction, { conversationId, ...departure, leaseMs });
  return left ?? { leftIds: [], users: [], memberIds: [] };
}

const rooms = statement<Record<string, unknown>, { conversationId: string }>(
  "rooms_to_leave",
  sql`select distinct conversation_id as "conversationId" from presences where ${ending}`,
);

/** The rooms in which presences end. */
export async function findRoomsToLeave(database: Database, departure: Departure): Promise<string[]> {
  const found = await rooms(database, { ...departure, leaseMs });
  return found.map(({ conversationId }) => conversationId);
}

const renew = statement<Record<string, unknown>, never>(
  "renew_presences",
  // What another node holds it is renewing or ending. What belongs to no member any more is left to run out.
  sql`with mine as (
      select conversation_id, user_id, session_id from presences
      where session_id in (select jsonb_array_elements_text(${value("sessionIds")}::jsonb)::uuid)
        and exists (select from members where members.conversation_id = presences.conversation_id and members.user_id = presences.user_id)
      for update skip locked)
    update presences set until = now() + ${milliseconds("leaseMs")} from mine
    where presences.conversation_id = mine.conversation_id and presences.user_id = mine.user_id
      and presences.session_id = mine.session_id`,
);

export async function renewPresences(database: Database, sessionIds: readonly string[]): Promise<void> {
  await renew(database, { sessionIds: JSON.stringify(sessionIds), leaseMs });
}
