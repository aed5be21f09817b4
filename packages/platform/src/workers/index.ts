export { type WorkerBackground, workerBackground } from "./background.ts";
export { createBell } from "./bell.ts";
export { objectCache, type Remembered } from "./cache.ts";
export type { CacheMethods } from "./cache-object.ts";
export { openWorkerDatabase, type WorkerDatabase } from "./database.ts";
export type { LimitMethods } from "./limit-object.ts";
export { consoleLog } from "./log.ts";
export { objectRateLimiter } from "./rate-limiter.ts";
export {
  type ExecutionContext,
  named,
  type ObjectNamespace,
  type ObjectState,
  type ObjectStorage,
  type Remote,
  type ServerSocket,
} from "./runtime.ts";
export { workerScopes } from "./scopes.ts";
export { type Ending, lookAfterMs, openSleepers, type Sleeper, type SleeperMethods, type Sleepers } from "./sleepers.ts";
export { workerSystem } from "./system.ts";
export { type ObjectEventLog, objectEventLog } from "./topics/object-event-log.ts";
export type { TopicMethods } from "./topics/topic-protocol.ts";
