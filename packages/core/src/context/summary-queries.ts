import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

const summaryOf = statement<{ messageId: string }, { content: string }>(
  "summary_of",
  sql`select content from summaries where message_id = ${value("messageId")}::uuid`,
);

export async function findSummary(database: Database, messageId: string): Promise<string | null> {
  const [found] = await summaryOf(database, { messageId });
  return found?.content ?? null;
}

interface MadeSummary {
  messageId: string;
  content: string;
  model: string;
  /** The messages that it sums up, as they were at that time. */
  of: string[];
  readAt: string;
}

const addSummary = statement<Omit<MadeSummary, "of"> & { of: string }, never>(
  "add_summary",
  sql`insert into summaries (message_id, conversation_id, content, model)
    select id, conversation_id, ${value("content")}, ${value("model")} from messages
    where id = ${value("messageId")}::uuid and not exists (
      -- A change that began shortly before the messages were read may have been missed.
      select from message_edits where replaced_at > ${value("readAt")}::timestamptz - interval '10 seconds'
        and message_id = any(array(select jsonb_array_elements_text(${value("of")}::jsonb)::uuid)))
    on conflict do nothing`,
);

/** Not of what was changed meanwhile, nor of what is gone. */
export async function keepSummary(database: Database, made: MadeSummary): Promise<void> {
  await addSummary(database, { ...made, of: JSON.stringify(made.of) });
}

const forget = statement<{ messageId: string }, never>(
  "forget_summaries",
  sql`delete from summaries using messages changed, messages summed
    where changed.id = ${value("messageId")}::uuid and summaries.conversation_id = changed.conversation_id
      and summed.id = summaries.message_id and (summed.id >= changed.id or summed.created_at >= changed.created_at)`,
);

/**
 * For whoever changes or deletes a message, beforehand and in one transaction: whatever may sum it up is dropped. What is later than
 * a message is all that can; a summary too many is made again.
 */
export async function forgetSummaries(database: Database, messageId: string): Promise<void> {
  await forget(database, { messageId });
}
