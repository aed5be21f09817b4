// A million messages of one person, written in SQL: 2,000 conversations, one of them a single long branch.
import postgres from "postgres";

const conversations = 2_000;
const perConversation = 470;
const longest = 60_000;
const texts = 4_000;
/** The time from the first message to the last, in milliseconds: conversations go on side by side. */
const span = 500_000_000;
const begin = Date.UTC(2026, 0, 1);

export const words = { rare: { word: "quixotic", messages: 12 }, frequent: { word: "harbour" } };
/** Where the long one's branch ends. */
export const longConversation = idOf(0, 0);
export const longBranch = (number) => messageId(0, number);
export const longLength = longest;

function idOf(milliseconds, number) {
  const hex = `${milliseconds.toString(16).padStart(12, "0")}70008000${number.toString(16).padStart(12, "0")}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function messageId(conversation, number) {
  const length = conversation === 0 ? longest : perConversation;
  return idOf(begin + number * Math.floor(span / length) + conversation, conversation);
}

const uuid = (milliseconds, number) =>
  `(lpad(to_hex(${milliseconds}), 12, '0') || '70008000' || lpad(to_hex(${number}), 12, '0'))::uuid`;
const at = (number) =>
  `(${begin}::bigint + (${number}) * (case when conversation = 0 then ${Math.floor(span / longest)} else ${Math.floor(span / perConversation)} end)
    + conversation)`;

export async function fillLists(url) {
  const sql = postgres(url, { max: 1, onnotice() {} });
  try {
    const [{ id }] = await sql`select id from users`;
    await fill(sql, id);
  } finally {
    await sql.end();
  }
}

/** The same rows as the product writes; only that they are not checked one by one, and their words not split a million times. */
async function fill(sql, userId) {
  await sql.unsafe(`
    set session_replication_role = replica;
    set maintenance_work_mem = '256MB';
    select setseed(0.5);
    create temp table vocabulary as
      select row_number() over () as place, syllables.word from (
        select a || b || c as word from unnest(array['ba','co','di','fu','ga','he','jo','ki','lu','ma','no','pe']) a,
          unnest(array['ran','len','mir','tos','vun','dal','ker','nis','pol','gut','sam','rek']) b,
          unnest(array['do','ta','li','','se','mu','ka','no','va','ri','po','ze']) c order by random()) as syllables;
    create temp table texts as
      select number as variant, string_agg(word, ' ' order by drawn.place) || case when number % 4 = 0 then ' by the ${words.frequent.word}s' else '' end as content
      from (select number, place, floor(power(random(), 3) * 1728)::int + 1 as word_place
        from generate_series(0, ${texts - 1}) number, generate_series(1, 12 + number * 31 % 50) place) as drawn
      join vocabulary on vocabulary.place = drawn.word_place group by number;
    alter table texts add column search tsvector;
    update texts set search = parley_search_vector(content);
    alter table messages alter column search drop expression;
  `);
  const indexes = await sql`select indexname, indexdef from pg_indexes
    where tablename = 'messages' and indexname <> 'messages_pkey' and schemaname = current_schema()`;
  for (const { indexname } of indexes) await sql.unsafe(`drop index ${indexname}`);
  await sql.unsafe(`
    insert into conversations (id, title, leaf_id, message_count, created_at, updated_at)
      select ${uuid("0", "conversation")}, 'Conversation ' || conversation, ${uuid(at("length - 1"), "conversation")}, length,
        to_timestamp(${begin / 1000}), to_timestamp(${at("length - 1")} / 1000.0)
      from (select conversation, case when conversation = 0 then ${longest} else ${perConversation} end as length
        from generate_series(0, ${conversations - 1}) conversation) as lengths;
    insert into members (conversation_id, user_id, role, active_at) select id, '${userId}', 'owner', updated_at from conversations
      where not exists (select from members where members.conversation_id = conversations.id);
    insert into messages (id, conversation_id, parent_id, role, author_id, content, parts, status, created_at, search)
      select ${uuid(at("number"), "conversation")}, ${uuid("0", "conversation")},
        case when number > 0 then ${uuid(at("number - 1"), "conversation")} end,
        case when number % 2 = 0 then 'user' else 'assistant' end, case when number % 2 = 0 then '${userId}'::uuid end,
        texts.content, jsonb_build_array(jsonb_build_object('type', 'text', 'text', texts.content)), 'complete',
        to_timestamp(${at("number")} / 1000.0), texts.search
      from (select conversation, number from generate_series(0, ${conversations - 1}) conversation,
          generate_series(0, case when conversation = 0 then ${longest - 1} else ${perConversation - 1} end) number) as places
      join texts on texts.variant = (conversation * 37 + places.number * 31) % ${texts}
      order by ${at("places.number")};
    update messages set content = content || ' ${words.rare.word}', search = parley_search_vector(content || ' ${words.rare.word}')
      where id in (select id from messages order by md5(id::text) limit ${words.rare.messages});
  `);
  for (const { indexdef } of indexes) await sql.unsafe(indexdef);
  await sql.unsafe("vacuum analyze messages");
  await sql.unsafe("analyze");
}
