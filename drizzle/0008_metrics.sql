CREATE TABLE "alerts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"rule" text NOT NULL,
	"subject" text NOT NULL,
	"severity" text NOT NULL,
	"text" text NOT NULL,
	"unit" text NOT NULL,
	"value" double precision NOT NULL,
	"threshold" double precision NOT NULL,
	"quiet" boolean NOT NULL,
	"opened_at" timestamp (3) with time zone NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL,
	"resolved_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "endpoint_samples" (
	"seconds" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"node" text NOT NULL,
	"procedure" text NOT NULL,
	"total_seconds" double precision NOT NULL,
	"most_seconds" double precision DEFAULT 0 NOT NULL,
	"counts" integer[] NOT NULL,
	"errors" jsonb NOT NULL,
	CONSTRAINT "endpoint_samples_seconds_at_node_procedure_pk" PRIMARY KEY("seconds","at","node","procedure")
);
--> statement-breakpoint
CREATE TABLE "metric_samples" (
	"seconds" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"node" text NOT NULL,
	"readings" integer NOT NULL,
	"values" jsonb NOT NULL,
	"details" jsonb NOT NULL,
	CONSTRAINT "metric_samples_seconds_at_node_pk" PRIMARY KEY("seconds","at","node")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "alerts_open" ON "alerts" USING btree ("rule","subject") WHERE resolved_at is null;--> statement-breakpoint
CREATE INDEX "alerts_time" ON "alerts" USING btree ("opened_at");