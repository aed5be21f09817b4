// What the published client may see of the server: procedures and errors, no context and nothing behind it.
import type { TRPCBuiltRouter } from "@trpc/server";
import type { ApiErrorShape } from "./errors.ts";
import type { admin } from "./routers/admin.ts";
import type { apiKey } from "./routers/api-key.ts";
import type { auth } from "./routers/auth.ts";
import type { chat } from "./routers/chat.ts";
import type { metrics } from "./routers/metrics.ts";
import type { model } from "./routers/model.ts";
import type { session } from "./routers/session.ts";
import type { user } from "./routers/user.ts";

export type AppRoutes = {
  admin: typeof admin;
  apiKey: typeof apiKey;
  auth: typeof auth;
  chat: typeof chat;
  metrics: typeof metrics;
  model: typeof model;
  session: typeof session;
  user: typeof user;
};

export type AppRouter = TRPCBuiltRouter<{ ctx: object; meta: object; errorShape: ApiErrorShape; transformer: true }, AppRoutes>;

export type { ErrorData, ErrorReason } from "@parley/contract/errors";
export type { ApiErrorShape } from "./errors.ts";
