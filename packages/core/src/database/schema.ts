export * from "./tables/access.ts";
export * from "./tables/accounts.ts";
export * from "./tables/chat.ts";
export * from "./tables/events.ts";
export * from "./tables/metrics.ts";
export * from "./tables/records.ts";
export * from "./tables/usage.ts";
