// What only the runtime itself can load.
export { CacheObject } from "./cache-object.ts";
export { LimitObject } from "./limit-object.ts";
export { TopicObject } from "./topics/topic-object.ts";
