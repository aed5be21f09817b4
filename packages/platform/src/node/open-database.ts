import type { Database } from "@parley/core/database";
import type { LogStore } from "../shared/event-log/log-store.ts";

export interface OpenDatabase {
  kind: "pglite" | "postgres";
  database: Database;
  /** For the events of several nodes; null where one process has the database for itself. */
  openLogStore: (() => LogStore) | null;
  /** So many statements can run at once. */
  connections: number;
  ping(): Promise<void>;
  /** Every migration of this version has been applied. */
  isMigrated(): Promise<boolean>;
  close(): Promise<void>;
}
