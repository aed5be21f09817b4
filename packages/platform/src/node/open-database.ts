import type { Database } from "@parley/core/database";

export interface OpenDatabase {
  kind: "pglite" | "postgres";
  database: Database;
  ping(): Promise<void>;
  close(): Promise<void>;
}
