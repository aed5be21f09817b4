export { testClock } from "./clock.ts";
export {
  type DatabaseKind,
  databaseKinds,
  migrationsFolder,
  openTestDatabase,
  pgliteTemplate,
  type TestDatabase,
} from "./databases.ts";
export { collectingLog, type LogLine } from "./logs.ts";
export { type ScriptedStream, scriptedProvider } from "./provider.ts";
export { testServices } from "./services.ts";
