export { nodeBackground } from "./background.ts";
export { nodeFetch } from "./fetch.ts";
export { type NodeLog, pinoLog } from "./log/log.ts";
export { readMigrations } from "./migrate.ts";
export type { OpenDatabase } from "./open-database.ts";
export { argon2Passwords } from "./passwords.ts";
export { nodeSystem } from "./system.ts";
