export { createIds } from "./ids.ts";
export { memoryCache } from "./memory-cache.ts";
export { memoryEventLog } from "./memory-event-log.ts";
export { type BuildLimiter, createRateLimiter, memoryRateLimiter } from "./rate-limiter.ts";
