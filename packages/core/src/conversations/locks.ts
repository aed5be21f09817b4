import type { MemberRole, Person } from "@parley/contract/events";
import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import { noConversation, onlyOwners } from "../refusals.ts";
import { toPerson } from "../users/person.ts";
import { joinReader } from "./member-sql.ts";

// So that nobody waits in a circle, locks are taken in one order: the conversation, its runs, its messages, its members, and the
// account last. The end of a run begins with the run, and a reader with the membership: what they go on to comes later in the order.

/** Who is in a conversation, by id. */
export type Present = ReadonlyMap<string, Member>;

interface Member {
  user: Person;
  role: MemberRole;
}

const asMember = statement<{ userId: string; id: string }, { id: string }>(
  "lock_conversation",
  sql`select id from conversations where id = ${value("id")}::uuid
    and exists (select from members where conversation_id = ${value("id")}::uuid and user_id = ${value("userId")}::uuid)
    for update`,
);

const asPublic = statement<{ id: string }, { id: string }>(
  "lock_public_conversation",
  sql`select id from conversations where id = ${value("id")}::uuid and visibility = 'public' for update`,
);

const present = statement<{ id: string }, { id: string; name: string; role: MemberRole }>(
  "members_of_conversation",
  sql`select users.id, users.display_name as name, members.role from members join users on users.id = members.user_id
    where members.conversation_id = ${value("id")}::uuid`,
);

async function findPresent(transaction: Database, id: string): Promise<Present> {
  const rows = await present(transaction, { id });
  return new Map(rows.map(({ id, name, role }) => [id, { user: toPerson(id, name), role }]));
}

/** Holds off every other change of who is in it until the transaction ends. Null for whoever is not in it. */
async function lockAsMember(transaction: Database, place: { userId: string; id: string }): Promise<Present | null> {
  const [locked] = await asMember(transaction, place);
  return locked ? findPresent(transaction, place.id) : null;
}

/** The same for somebody from outside; null when it is not open to everybody. */
export async function lockPublic(transaction: Database, id: string): Promise<Present | null> {
  const [locked] = await asPublic(transaction, { id });
  return locked ? findPresent(transaction, id) : null;
}

type Change<Made> = (transaction: Database, present: Present, me: Member) => Promise<Made>;

/** What a member does to a conversation, while nobody else changes who is in it. */
export function changeAsMember<Made>(
  database: Database,
  { userId, id }: { userId: string; id: string },
  make: Change<Made>,
): Promise<Made> {
  return database.transaction(async (transaction) => {
    const present = await lockAsMember(transaction, { userId, id });
    const me = present?.get(userId);
    if (!present || !me) throw noConversation();
    return make(transaction, present, me);
  });
}

export function changeAsOwner<Made>(
  database: Database,
  place: { userId: string; id: string },
  make: Change<Made>,
): Promise<Made> {
  return changeAsMember(database, place, (transaction, present, me) => {
    if (me.role !== "owner") throw onlyOwners();
    return make(transaction, present, me);
  });
}

const allOf = statement<{ userId: string }, never>(
  "lock_conversations_of",
  // Nobody can be added to what is about to go.
  sql`select conversations.id from conversations ${joinReader(sql`conversations.id`)}
    order by conversations.id for update of conversations`,
);

const runsBy = statement<{ userId: string }, never>(
  "lock_runs_of_user",
  sql`select id from runs where user_id = ${value("userId")}::uuid order by id for update`,
);

/** For whoever deletes an account: the conversations that the person is in, and the runs that the person has asked for. */
export async function lockAllOf(transaction: Database, userId: string): Promise<void> {
  await allOf(transaction, { userId });
  await runsBy(transaction, { userId });
}

export interface Departing {
  userId: string;
  /** Null for all of theirs. */
  conversationId: string | null;
}

const runningOf = statement<Record<string, unknown>, never>(
  "lock_running_of_user",
  sql`select id from runs where user_id = ${value("userId")}::uuid and status = 'running'
      and (${value("conversationId")}::uuid is null or conversation_id = ${value("conversationId")}::uuid)
    order by id for update`,
);

/** What is being written for this person. */
export async function lockRunning(transaction: Database, departing: Departing): Promise<void> {
  await runningOf(transaction, { ...departing });
}

const ofMessage = statement<{ userId: string; id: string }, never>(
  "lock_conversation_of_message",
  sql`select conversations.id from messages
    join conversations on conversations.id = messages.conversation_id
    ${joinReader(sql`conversations.id`)}
    where messages.id = ${value("id")}::uuid for no key update of conversations`,
);

/** Nothing is written in its conversation, and no branch is looked at, until the transaction ends. */
export async function lockOfMessage(transaction: Database, userId: string, id: string): Promise<void> {
  await ofMessage(transaction, { userId, id });
}

const branch = statement<Record<string, unknown>, { id: string }>(
  "lock_branch",
  // Who deletes a message locks its conversation too: the end that is found is still there when it is remembered.
  sql`select conversations.id from conversations
    ${joinReader(sql`conversations.id`)}
    join messages on messages.conversation_id = conversations.id and messages.id = ${value("messageId")}::uuid
    where conversations.id = ${value("conversationId")}::uuid for share of conversations`,
);

/** False where this message is none of this person's conversation. */
export async function lockBranch(
  transaction: Database,
  where: { userId: string; conversationId: string; messageId: string },
): Promise<boolean> {
  return (await branch(transaction, where)).length === 1;
}

const runsOf = statement<{ ids: string }, never>(
  "lock_runs_of_conversations",
  sql`select id from runs where conversation_id = any(array(select jsonb_array_elements_text(${value("ids")}::jsonb)::uuid))
    order by id for update`,
);

export async function lockRunsOf(transaction: Database, conversationIds: readonly string[]): Promise<void> {
  await runsOf(transaction, { ids: JSON.stringify(conversationIds) });
}

const runOfMessage = statement<{ id: string }, { userId: string | null }>(
  "lock_run_of_message",
  sql`select user_id as "userId" from runs where message_id = ${value("id")}::uuid for update`,
);

/** Who asked for an answer; null for what is none. */
export async function lockRunOfMessage(transaction: Database, id: string): Promise<{ userId: string | null } | null> {
  const [run] = await runOfMessage(transaction, { id });
  return run ?? null;
}
