INSERT INTO roles (name, permissions) VALUES
  ('user', '{}'),
  ('operator', '{metrics.read}'),
  ('admin', '{*}');
--> statement-breakpoint
-- Rows of running answers change twice a second: room on the page keeps those updates out of the indexes.
ALTER TABLE runs SET (fillfactor = 70);
