export * from "./tables/access.ts";
export * from "./tables/accounts.ts";
export * from "./tables/chat.ts";
export * from "./tables/records.ts";
export * from "./tables/usage.ts";
