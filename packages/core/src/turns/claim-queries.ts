import { sql } from "drizzle-orm";
import type { Database } from "../database/index.ts";
import { statement, value } from "../database/statement.ts";

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
    from send_claims where user_id = ${value("userId")}::uuid and client_message_id = ${value("clientMessageId")}`,
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
