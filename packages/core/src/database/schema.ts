export * from "./tables/accounts.ts";
export * from "./tables/chat.ts";
