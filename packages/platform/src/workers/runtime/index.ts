// Small: the worker and all of its objects begin with this.
export { createBell } from "./bell.ts";
export { lookAfterMs, openSleepers, type Sleeper, type SleeperMethods, type Sleepers } from "./sleepers.ts";
export {
  type ExecutionContext,
  named,
  type ObjectNamespace,
  type ObjectState,
  type ObjectStorage,
  type Remote,
  type ServerSocket,
} from "./types.ts";
