import { type SQL, sql } from "drizzle-orm";
import type { BranchRow } from "../context/queries.ts";
import { joinReader } from "../conversations/member-sql.ts";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";
import { lease } from "../runs/queries.ts";

export interface NewAnswer {
  messageId: string;
  runId: string;
  epoch: string;
}

/** All ids are made beforehand, so that one statement writes a turn whole. */
export interface Turn {
  userId: string;
  conversationId: string;
  clientMessageId: string;
  bodyHash: string;
  messageId: string;
  content: string;
  parentId: string | null;
  replyToId: string | null;
  answer: NewAnswer | null;
  model: ModelChoice;
}

/** A new answer to what has been answered, or has not. */
interface Regeneration extends Pick<Turn, "userId" | "clientMessageId" | "bodyHash" | "model"> {
  targetId: string;
  answer: NewAnswer;
}

/** `providers`: which provider each model belongs to, as JSON. */
interface ModelChoice {
  requested: string | null;
  fallback: string;
  providers: string;
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

type TurnValues = ReturnType<typeof turnValues>;
type RegenerationValues = ReturnType<typeof regenerationValues>;

const uuid = (name: string) => sql`${value(name)}::uuid`;

/** It makes a turn happen once. What a turn writes hangs on it. */
const claim = ({ conversation, message, allowed }: { conversation: SQL; message: SQL; allowed: SQL }) => sql`
  claim as (
    insert into send_claims (user_id, client_message_id, body_hash, conversation_id, message_id, answer_id, run_id)
    select ${uuid("userId")}, ${value("clientMessageId")}, ${value("bodyHash")}, ${conversation},
      ${message}, ${uuid("answerId")}, ${uuid("runId")}
    ${allowed}
    on conflict do nothing returning created_at)`;

const sent = { conversation: uuid("conversationId"), message: uuid("messageId") };

const questionRow = (parent: SQL) => sql`
  question as (
    insert into messages (id, conversation_id, parent_id, reply_to_id, role, author_id, content, parts, status)
    select ${uuid("messageId")}, ${uuid("conversationId")}, ${parent}, ${uuid("replyToId")}, 'user',
      ${uuid("userId")}, ${value("content")},
      jsonb_build_array(jsonb_build_object('type', 'text', 'text', ${value("content")}::text)), 'complete' from claim)`;

const answerRows = ({ parent, conversation }: { parent: SQL; conversation: SQL }) => sql`
  answer as (
    insert into messages (id, conversation_id, parent_id, role, content, status, run_id, provider, model)
    select ${uuid("answerId")}, ${conversation}, ${parent}, 'assistant', '', 'running',
      ${uuid("runId")}, chosen.provider, chosen.model from claim, chosen where ${uuid("answerId")} is not null),
  run as (
    insert into runs (id, message_id, conversation_id, user_id, provider, model, status, epoch, lease_until)
    select ${uuid("runId")}, ${uuid("answerId")}, ${conversation}, ${uuid("userId")}, chosen.provider,
      chosen.model, 'running', ${uuid("epoch")}, ${lease}
    from claim, chosen where ${uuid("answerId")} is not null)`;

const newLeaf = sql`coalesce(${uuid("answerId")}, ${uuid("messageId")})`;
const newMessages = sql`case when ${uuid("answerId")} is null then 1 else 2 end`;

/** Which of the offered models answers, with its provider. */
const chosen = (candidates: SQL) => sql`
  chosen as (
    select model, ${value("providers")}::jsonb ->> model as provider from (
      select coalesce(${value("requested")}::text,
        (select candidate from (${candidates}) as own(candidate, place)
          where jsonb_exists(${value("providers")}::jsonb, candidate) order by place limit 1),
        ${value("fallback")}::text) as model) as choice)`;

const authorName = sql`(select display_name from users where id = ${uuid("userId")}) as "authorName"`;

const claimFirst = statement<TurnValues & { title: string }, ClaimedTurn>(
  "claim_first_turn",
  sql`with ${claim({ ...sent, allowed: sql`where true` })},
    ${chosen(sql`select null::text, 1`)},
    conversation as (
      insert into conversations (id, title, model, leaf_id, message_count)
      select ${uuid("conversationId")}, ${value("title")}, ${value("requested")}::text,
        ${newLeaf}, ${newMessages}
      from claim),
    member as (
      insert into members (conversation_id, user_id, role)
      select ${uuid("conversationId")}, ${uuid("userId")}, 'owner' from claim),
    ${questionRow(sql`null::uuid`)},
    ${answerRows({ parent: uuid("messageId"), conversation: uuid("conversationId") })}
    select claim.created_at as "createdAt", null as "parentId", null as "siblingIds", ${authorName},
      json_build_array(${uuid("userId")}) as "memberIds", chosen.model, null as "systemPrompt"
    from claim, chosen`,
);

/** The branch grows where somebody looks at its end: whoever looked at it goes along, and whoever follows the newest does anyway. */
const grownLeaf = (leaf: SQL) => sql`
  leaf_id = case when leaf_id is null then null
    when user_id = ${uuid("userId")} or leaf_id = parent.id then ${leaf} else leaf_id end`;

const siblings = sql`(select json_agg(sibling.id order by sibling.id) from messages sibling where sibling.parent_id = parent.id) as "siblingIds"`;

// Nothing here locks a row and changes it after: the change itself is the lock, and says what the newest message was until then.
// Where the conversation is gone by that time, what refers to it fails, and the claim with it.
const claimNext = statement<TurnValues, ClaimedTurn>(
  "claim_next_turn",
  sql`with place as (
      select conversations.id, conversations.model, conversations.system_prompt, members.leaf_id as own_leaf_id
      from conversations
      ${joinReader(sql`conversations.id`)} and members.role <> 'viewer'
      where conversations.id = ${uuid("conversationId")}),
    named as (
      select id from unnest(array[${uuid("parentId")}, ${uuid("replyToId")}]) as given(id) where id is not null),
    ${chosen(sql`select model, 1 from place`)},
    ${claim({
      ...sent,
      allowed: sql`from place where not exists (
        select from named where not exists (
          select from messages where messages.id = named.id and messages.conversation_id = place.id))`,
    })},
    conversation as (
      update conversations set prior_leaf_id = leaf_id, leaf_id = ${newLeaf},
        message_count = message_count + ${newMessages}, updated_at = now()
      from claim where conversations.id = ${uuid("conversationId")} returning prior_leaf_id),
    parent as (
      select coalesce(${uuid("parentId")}, own_leaf_id, prior_leaf_id) as id, prior_leaf_id from place, conversation),
    ${questionRow(sql`(select id from parent)`)},
    ${answerRows({ parent: uuid("messageId"), conversation: uuid("conversationId") })},
    member as (
      update members set active_at = now(), ${grownLeaf(newLeaf)},
        unread_count = case when user_id = ${uuid("userId")} then 0
          else unread_count + ${newMessages} end,
        last_read_id = case when user_id = ${uuid("userId")}
          then greatest(last_read_id, parent.prior_leaf_id, ${uuid("messageId")}) else last_read_id end
      from parent where conversation_id = ${uuid("conversationId")}
      returning user_id)
    select claim.created_at as "createdAt", parent.id as "parentId", ${authorName}, ${siblings},
      (select json_agg(user_id) from member) as "memberIds", chosen.model, place.system_prompt as "systemPrompt"
    from claim, chosen, place, parent`,
);

const claimAgain = statement<RegenerationValues, ClaimedTurn & { conversationId: string; question: BranchRow }>(
  "claim_regeneration",
  sql`with target as (
      select messages.id, messages.parent_id, messages.role, messages.model, messages.conversation_id
      from messages ${joinReader(sql`messages.conversation_id`)} and members.role <> 'viewer'
      where messages.id = ${uuid("targetId")}),
    place as (
      select conversations.id, conversations.model, conversations.system_prompt
      from conversations join target on target.conversation_id = conversations.id),
    parent as (
      select case when role = 'assistant' then parent_id else id end as id from target
      where role = 'user' or (role = 'assistant' and parent_id is not null)),
    ${chosen(sql`select model, 1 from target where role = 'assistant' union all select model, 2 from place`)},
    ${claim({ conversation: sql`place.id`, message: uuid("answerId"), allowed: sql`from place, parent` })},
    ${answerRows({ parent: sql`(select id from parent)`, conversation: sql`(select id from place)` })},
    conversation as (
      update conversations set leaf_id = ${uuid("answerId")}, message_count = message_count + 1, updated_at = now()
      from claim, place where conversations.id = place.id returning conversations.id),
    member as (
      update members set active_at = now(), ${grownLeaf(uuid("answerId"))},
        unread_count = unread_count + case when user_id = ${uuid("userId")} then 0 else 1 end
      from parent, conversation where conversation_id = conversation.id
      returning user_id)
    select claim.created_at as "createdAt", place.id as "conversationId", parent.id as "parentId", ${authorName}, ${siblings},
      (select json_build_object('id', asked.id, 'parentId', asked.parent_id, 'role', asked.role, 'status', asked.status,
          'content', asked.content, 'authorId', asked.author_id, 'authorName', users.display_name)
        from messages asked left join users on users.id = asked.author_id where asked.id = parent.id) as question,
      (select json_agg(user_id) from member) as "memberIds", chosen.model, place.system_prompt as "systemPrompt"
    from claim, chosen, place, parent`,
);

function answerValues(answer: NewAnswer | null, { requested, fallback, providers }: ModelChoice) {
  const { messageId = null, runId = null, epoch = null } = answer ?? {};
  return { answerId: messageId, runId, epoch, requested, fallback, providers };
}

function turnValues({ answer, model, ...turn }: Turn) {
  return { ...turn, ...answerValues(answer, model) };
}

function regenerationValues({ answer, model, ...turn }: Regeneration) {
  return { ...turn, ...answerValues(answer, model) };
}

/** Writes a turn and its new conversation. Null when this message was sent before. */
export async function claimFirstTurn(database: Database, turn: Turn, title: string) {
  const [claimed] = await claimFirst(database, { ...turnValues(turn), title });
  return claimed ?? null;
}

/** Writes a turn at its place. Null when this message was sent before, or when this is no place for this person to write. */
export async function claimNextTurn(database: Database, turn: Turn) {
  const [claimed] = await seenAfresh(() => claimNext(database, turnValues(turn)));
  return claimed ?? null;
}

/** Writes another answer beside the one that is named, or below the question. Null where that cannot be, or was done before. */
export async function claimRegeneration(database: Database, turn: Regeneration) {
  const [claimed] = await seenAfresh(() => claimAgain(database, regenerationValues(turn)));
  return claimed ?? null;
}

/**
 * What a turn hangs on may be deleted while it waits for its conversation: looked at again, it has another place or none. And
 * Postgres may have given it up for another one that waited for it.
 */
async function seenAfresh<Claimed>(claim: () => Promise<Claimed>): Promise<Claimed> {
  for (let tries = 1; ; tries++) {
    try {
      return await claim();
    } catch (error) {
      if (tries === mostTries || !isWorthAnotherTry(error)) throw error;
    }
  }
}

const mostTries = 3;
const referenceToNothing = "23503";
const deadlock = "40P01";

function isWorthAnotherTry(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? error.code : undefined;
  return code === referenceToNothing || code === deadlock || isWorthAnotherTry(error.cause);
}
