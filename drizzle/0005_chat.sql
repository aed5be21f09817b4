CREATE TABLE "message_edits" (
	"id" uuid PRIMARY KEY NOT NULL,
	"message_id" uuid NOT NULL,
	"editor_id" uuid,
	"content" text NOT NULL,
	"replaced_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "message_ratings" (
	"message_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"rating" text NOT NULL,
	"note" text,
	"rated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "message_ratings_message_id_user_id_pk" PRIMARY KEY("message_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "presences" (
	"conversation_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"until" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "presences_conversation_id_user_id_session_id_pk" PRIMARY KEY("conversation_id","user_id","session_id")
);
--> statement-breakpoint
CREATE TABLE "summaries" (
	"message_id" uuid PRIMARY KEY NOT NULL,
	"conversation_id" uuid NOT NULL,
	"content" text NOT NULL,
	"model" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "event_heads" (
	"topic" text PRIMARY KEY NOT NULL,
	"seq" bigint NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "event_log" (
	"topic" text NOT NULL,
	"seq" bigint NOT NULL,
	"id" text NOT NULL,
	"event" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "event_log_topic_seq_pk" PRIMARY KEY("topic","seq")
);
--> statement-breakpoint
DROP INDEX "messages_tree";--> statement-breakpoint
ALTER TABLE "access_changes" ADD COLUMN "conversation_id" uuid;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "title_by" text DEFAULT 'words' NOT NULL;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "share_token" text;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "last_read_id" uuid;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "leaf_id" uuid;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "tools" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "context" jsonb;--> statement-breakpoint
ALTER TABLE "message_edits" ADD CONSTRAINT "message_edits_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_edits" ADD CONSTRAINT "message_edits_editor_id_users_id_fk" FOREIGN KEY ("editor_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_ratings" ADD CONSTRAINT "message_ratings_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_ratings" ADD CONSTRAINT "message_ratings_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "summaries" ADD CONSTRAINT "summaries_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "summaries" ADD CONSTRAINT "summaries_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "message_edits_message" ON "message_edits" USING btree ("message_id","id");--> statement-breakpoint
CREATE INDEX "message_edits_editor" ON "message_edits" USING btree ("editor_id");--> statement-breakpoint
CREATE INDEX "message_ratings_user" ON "message_ratings" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "presences_session" ON "presences" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "presences_until" ON "presences" USING btree ("until");--> statement-breakpoint
CREATE INDEX "summaries_conversation" ON "summaries" USING btree ("conversation_id");--> statement-breakpoint
CREATE INDEX "event_heads_age" ON "event_heads" USING btree ("updated_at");--> statement-breakpoint
CREATE INDEX "event_log_age" ON "event_log" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "conversations_share" ON "conversations" USING btree ("share_token");--> statement-breakpoint
CREATE INDEX "conversations_public" ON "conversations" USING btree ("updated_at" DESC NULLS LAST,"id" DESC NULLS LAST) WHERE "conversations"."visibility" = 'public';--> statement-breakpoint
CREATE INDEX "messages_time" ON "messages" USING btree ("conversation_id","id");--> statement-breakpoint
CREATE INDEX "messages_roots" ON "messages" USING btree ("conversation_id","id") WHERE "messages"."parent_id" is null;