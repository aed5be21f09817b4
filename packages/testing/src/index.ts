export { nodeBackground } from "@parley/platform/node";
export { memoryCache } from "@parley/platform/shared";
export { type TestAccounts, testAccounts } from "./accounts.ts";
export { type BreakingProxy, breakingProxy } from "./breaking-proxy.ts";
export { assemble, collect, isText, type TestChat, testChat } from "./chat.ts";
export { testClock } from "./clock.ts";
export {
  type DatabaseKind,
  databaseKinds,
  migrationsFolder,
  openTestDatabase,
  pgliteTemplate,
  type TestDatabase,
} from "./databases.ts";
export { type EventLogKind, eventLogKinds, loseEvents, loseKeys, openTestEventLog, type TestEventLog } from "./event-logs.ts";
export { openLine } from "./line.ts";
export { freePort, listenLocally } from "./listening.ts";
export { collectingLog, type LogLine } from "./logs.ts";
export { collectingMailer } from "./mailer.ts";
export { parseMetrics } from "./prometheus.ts";
export { type ScriptedStream, scriptedProvider } from "./provider.ts";
export { testOrigin, testServices } from "./services.ts";
export { collectingChannel, testDependency, testSystem } from "./system.ts";
export { type CollectedSpan, type Collector, type CollectorMood, startCollector } from "./telemetry/collector.ts";
export { type SentryIngest, type SentryItem, startSentryIngest } from "./telemetry/sentry-ingest.ts";
export type { Script, Step, UpstreamCall, Vendor } from "./upstream/script.ts";
export { serveProvider } from "./upstream/served-provider.ts";
export { startUpstream, type Upstream } from "./upstream/server.ts";
