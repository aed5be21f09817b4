-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS "sessions_activity" ON "sessions" USING btree ("last_active_at","user_id") WHERE ended_at is null;
