import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

/** All ids are made beforehand, so that one statement writes a turn whole. */
export interface Turn {
  userId: string;
  conversationId: string;
  clientMessageId: string;
  bodyHash: string;
  messageId: string;
  content: string;
  parentId: string | null;
  answer: { messageId: string; runId: string; epoch: string } | null;
  /** `providers`: which provider each model belongs to, as JSON. */
  model: { requested: string | null; fallback: string; providers: string };
}

export interface ClaimedTurn {
  createdAt: string;
  parentId: string | null;
  /** The other messages with that parent; null for none. */
  siblingIds: string[] | null;
  authorName: string;
  memberIds: string[];
  /** The one that was asked for, or the conversation's where it is still offered, or the default. */
  model: string;
  systemPrompt: string | null;
}

const v = (name: string, type: string) => sql`${value(name)}::${sql.raw(type)}`;

/** Shared by both statements: the claim that makes a send happen once, and the rows that hang on it. */
const claim = (allowed: SQL) => sql`
  claim as (
    insert into send_claims (user_id, client_message_id, body_hash, conversation_id, message_id, answer_id, run_id)
    select ${v("userId", "uuid")}, ${value("clientMessageId")}, ${value("bodyHash")}, ${v("conversationId", "uuid")},
      ${v("messageId", "uuid")}, ${v("answerId", "uuid")}, ${v("runId", "uuid")}
    ${allowed}
    on conflict do nothing returning created_at)`;

const turnRows = (parent: SQL) => sql`
  question as (
    insert into messages (id, conversation_id, parent_id, role, author_id, content, parts, status)
    select ${v("messageId", "uuid")}, ${v("conversationId", "uuid")}, ${parent}, 'user', ${v("userId", "uuid")}, ${value("content")},
      jsonb_build_array(jsonb_build_object('type', 'text', 'text', ${v("content", "text")})), 'complete' from claim),
  answer as (
    insert into messages (id, conversation_id, parent_id, role, content, status, run_id, provider, model)
    select ${v("answerId", "uuid")}, ${v("conversationId", "uuid")}, ${v("messageId", "uuid")}, 'assistant', '', 'running',
      ${v("runId", "uuid")}, chosen.provider, chosen.model from claim, chosen where ${v("answerId", "uuid")} is not null),
  run as (
    insert into runs (id, message_id, conversation_id, user_id, provider, model, status, epoch, lease_until)
    select ${v("runId", "uuid")}, ${v("answerId", "uuid")}, ${v("conversationId", "uuid")}, ${v("userId", "uuid")}, chosen.provider,
      chosen.model, 'running', ${v("epoch", "uuid")}, now() + interval '15 seconds'
    from claim, chosen where ${v("answerId", "uuid")} is not null)`;

/** Which of the offered models answers, with its provider. */
const chosen = (conversationModel: SQL) => sql`
  chosen as (
    select model, ${v("providers", "jsonb")} ->> model as provider from (
      select coalesce(${v("requested", "text")},
        (select candidate from (${conversationModel}) as own(candidate) where jsonb_exists(${v("providers", "jsonb")}, candidate)),
        ${v("fallback", "text")}) as model) as choice)`;

const authorName = sql`(select display_name from users where id = ${v("userId", "uuid")}) as "authorName"`;

const first = statement<Record<string, unknown>, ClaimedTurn>(
  "claim_first_turn",
  sql`with ${claim(sql`where true`)},
    ${chosen(sql`select null::text`)},
    conversation as (
      insert into conversations (id, title, model, leaf_id, message_count)
      select ${v("conversationId", "uuid")}, ${value("title")}, ${v("requested", "text")},
        coalesce(${v("answerId", "uuid")}, ${v("messageId", "uuid")}), case when ${v("answerId", "uuid")} is null then 1 else 2 end
      from claim),
    member as (
      insert into members (conversation_id, user_id, role)
      select ${v("conversationId", "uuid")}, ${v("userId", "uuid")}, 'owner' from claim),
    ${turnRows(sql`null::uuid`)}
    select claim.created_at as "createdAt", null as "parentId", null as "siblingIds", ${authorName},
      json_build_array(${v("userId", "uuid")}) as "memberIds", chosen.model, null as "systemPrompt"
    from claim, chosen`,
);

const next = statement<Record<string, unknown>, ClaimedTurn>(
  "claim_next_turn",
  sql`with place as (
      select conversations.id, conversations.leaf_id, conversations.model, conversations.system_prompt
      from conversations
      join members on members.conversation_id = conversations.id and members.user_id = ${v("userId", "uuid")} and members.role <> 'viewer'
      where conversations.id = ${v("conversationId", "uuid")} for no key update of conversations),
    parent as (
      select leaf_id as id from place where ${v("parentId", "uuid")} is null
      union all
      select messages.id from messages join place on place.id = messages.conversation_id where messages.id = ${v("parentId", "uuid")}),
    ${chosen(sql`select model from place`)},
    ${claim(sql`from parent`)},
    ${turnRows(sql`(select id from parent)`)},
    conversation as (
      update conversations set leaf_id = coalesce(${v("answerId", "uuid")}, ${v("messageId", "uuid")}),
        message_count = message_count + case when ${v("answerId", "uuid")} is null then 1 else 2 end, updated_at = now()
      from claim where conversations.id = ${v("conversationId", "uuid")}),
    member as (
      update members set active_at = now(),
        unread_count = case when user_id = ${v("userId", "uuid")} then 0 else unread_count + 1 end
      from claim where conversation_id = ${v("conversationId", "uuid")}
      returning user_id)
    select claim.created_at as "createdAt", parent.id as "parentId", ${authorName},
      (select json_agg(sibling.id order by sibling.id) from messages sibling where sibling.parent_id = parent.id) as "siblingIds",
      (select json_agg(user_id) from member) as "memberIds", chosen.model, place.system_prompt as "systemPrompt"
    from claim, chosen, place, parent`,
);

function values({ answer, model, ...turn }: Turn) {
  return {
    userId: turn.userId,
    conversationId: turn.conversationId,
    clientMessageId: turn.clientMessageId,
    bodyHash: turn.bodyHash,
    messageId: turn.messageId,
    content: turn.content,
    answerId: answer?.messageId ?? null,
    runId: answer?.runId ?? null,
    epoch: answer?.epoch ?? null,
    requested: model.requested,
    fallback: model.fallback,
    providers: model.providers,
  };
}

/** Writes a turn and its new conversation. Null when this message was sent before. */
export async function claimFirstTurn(database: Database, turn: Turn, title: string) {
  const [claimed] = await first(database, { ...values(turn), title });
  return claimed ?? null;
}

/** Writes a turn at its place. Null when this message was sent before, or when this is no place for this person to write. */
export async function claimNextTurn(database: Database, turn: Turn) {
  const [claimed] = await next(database, { ...values(turn), parentId: turn.parentId });
  return claimed ?? null;
}

export interface EarlierClaim {
  bodyHash: string;
  conversationId: string;
  messageId: string;
  answerId: string | null;
  runId: string | null;
}

const earlier = statement<{ userId: string; clientMessageId: string }, EarlierClaim>(
  "earlier_claim",
  sql`select body_hash as "bodyHash", conversation_id as "conversationId", message_id as "messageId",
      answer_id as "answerId", run_id as "runId"
    from send_claims where user_id = ${v("userId", "uuid")} and client_message_id = ${value("clientMessageId")}`,
);

export async function findEarlierClaim(database: Database, userId: string, clientMessageId: string) {
  const [found] = await earlier(database, { userId, clientMessageId });
  return found ?? null;
}

const sweep = statement<Record<string, never>, never>(
  "sweep_claims",
  sql`delete from send_claims where created_at < now() - interval '24 hours'`,
);

export async function sweepClaims(database: Database) {
  await sweep(database, {});
}
