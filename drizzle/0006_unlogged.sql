-- What may be lost with a crash of the database costs no log of its own: readers see a gap and read what is saved.
ALTER TABLE event_log SET UNLOGGED;--> statement-breakpoint
ALTER TABLE event_heads SET UNLOGGED;--> statement-breakpoint
ALTER TABLE presences SET UNLOGGED;
