export { nodeBackground } from "@parley/platform/node";
export { type TestAccounts, testAccounts } from "./accounts.ts";
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
export { collectingMailer } from "./mailer.ts";
export { type ScriptedStream, scriptedProvider } from "./provider.ts";
export { testOrigin, testServices } from "./services.ts";
export type { Script, Step, UpstreamCall, Vendor } from "./upstream/script.ts";
export { startUpstream, type Upstream } from "./upstream/server.ts";
