export { nodeBackground } from "./background.ts";
export { nodeFetch } from "./fetch.ts";
export { pinoLog } from "./log.ts";
export type { OpenDatabase } from "./open-database.ts";
export { argon2Passwords } from "./passwords.ts";
