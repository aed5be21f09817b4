export type { Actor, Origin } from "./auth/actor.ts";
export { AppError, toAppError } from "./errors.ts";
export { createFeed, type Feed, type FeedEntry, type FeedSink, type Follow, type Following, followFeed } from "./feed.ts";
export { includesPermission, mayUse } from "./keys/scopes.ts";
export { tooMany } from "./limits.ts";
export type { LimitState } from "./ports.ts";
export { createServices, type Services } from "./services.ts";
export type { IssuedTokens } from "./sessions/sessions.ts";
export type { Settings } from "./settings.ts";
