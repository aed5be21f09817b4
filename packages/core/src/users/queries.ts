import type { Preferences, Profile, UpdateProfile, Usage } from "@parley/contract";
import { sql } from "drizzle-orm";
import { fold } from "../auth/names.ts";
import type { Database } from "../database/index.ts";
import { readInstant, readInstantOrNull, statement, value, type Written } from "../database/statement.ts";

const profileColumns = sql`id, email, email_verified_at is not null as "emailVerified", username, display_name as "displayName", bio,
  time_zone as "timeZone", language, plan, role, last_login_at as "lastLoginAt", last_active_at as "lastActiveAt",
  created_at as "createdAt"`;

function toProfile(row: Written<Profile>): Profile {
  return {
    ...row,
    lastLoginAt: readInstantOrNull(row.lastLoginAt),
    lastActiveAt: readInstantOrNull(row.lastActiveAt),
    createdAt: readInstant(row.createdAt),
  };
}

const profile = statement<{ id: string }, Written<Profile>>(
  "profile",
  sql`select ${profileColumns} from users where id = ${value("id")}::uuid`,
);

export async function findProfile(database: Database, id: string): Promise<Profile | null> {
  const [row] = await profile(database, { id });
  return row ? toProfile(row) : null;
}

/** Keys that are not among the changes stay; the operator asks for their presence, because null is a value. */
const updated = (column: string) => {
  const name = sql.raw(`'${column}'`);
  return sql`${sql.identifier(column)} = case when jsonb_exists(${value("changes")}::jsonb, ${name})
    then ${value("changes")}::jsonb ->> ${name} else ${sql.identifier(column)} end`;
};

const update = statement<{ id: string; changes: string }, Written<Profile>>(
  "update_profile",
  sql`with changed as (
      update users set ${updated("display_name")}, ${updated("username")}, ${updated("username_key")}, ${updated("bio")},
        ${updated("time_zone")}, ${updated("language")}
      where id = ${value("id")}::uuid returning ${profileColumns}),
    told as (insert into access_changes (kind, user_id) select 'profile_changed', id from changed)
    select * from changed`,
);

/** Null when the account is gone. */
export async function updateProfile(database: Database, id: string, changes: UpdateProfile): Promise<Profile | null> {
  const { displayName, username, bio, timeZone, language } = changes;
  const columns = {
    display_name: displayName,
    username,
    username_key: username && fold(username),
    bio,
    time_zone: timeZone,
    language,
  };
  const [row] = await update(database, { id, changes: JSON.stringify(columns) });
  return row ? toProfile(row) : null;
}

const preferences = statement<{ id: string }, { preferences: Preferences }>(
  "preferences",
  sql`select preferences from users where id = ${value("id")}::uuid`,
);

export async function findPreferences(database: Database, id: string): Promise<Preferences | null> {
  const [row] = await preferences(database, { id });
  return row?.preferences ?? null;
}

const setPreferences = statement<{ id: string; preferences: string }, { preferences: Preferences }>(
  "set_preferences",
  sql`update users set preferences = ${value("preferences")}::jsonb where id = ${value("id")}::uuid returning preferences`,
);

export async function replacePreferences(database: Database, id: string, wanted: Preferences): Promise<Preferences | null> {
  const [row] = await setPreferences(database, { id, preferences: JSON.stringify(wanted) });
  return row?.preferences ?? null;
}

const usage = statement<{ userId: string; since: string }, Pick<Usage, "messages" | "answers" | "models">>(
  "usage_of_user",
  sql`with mine as (
      select * from usage_ledger where user_id = ${value("userId")}::uuid and created_at >= ${value("since")}::timestamptz),
    spent as (
      select provider, model, count(distinct run_id)::int as answers,
        json_build_object('input', sum(input), 'cacheRead', sum(cache_read), 'cacheWrite', sum(cache_write), 'output', sum(output)) as tokens,
        case when count(*) = count(cost_micros) then sum(cost_micros)::float8 end as "costMicros"
      from mine group by provider, model)
    select (select count(*)::int from messages where author_id = ${value("userId")}::uuid and role = 'user'
        and created_at >= ${value("since")}::timestamptz) as messages,
      (select count(distinct run_id)::int from mine) as answers,
      (select coalesce(json_agg(spent order by answers desc, provider, model), '[]') from spent) as models`,
);

/** What a person has sent and been answered, and what each model took for it. */
export async function sumUsage(database: Database, userId: string, since: Date) {
  const [row] = await usage(database, { userId, since: since.toISOString() });
  return row ?? { messages: 0, answers: 0, models: [] };
}
