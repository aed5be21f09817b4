// What the published client may see of the server: procedures and errors, no context and nothing behind it.
import type { TRPCBuiltRouter } from "@trpc/server";
import type { ApiErrorShape } from "./errors.ts";
import type { auth } from "./routers/auth.ts";
import type { chat } from "./routers/chat.ts";
import type { model } from "./routers/model.ts";

export type AppRoutes = { auth: typeof auth; chat: typeof chat; model: typeof model };

export type AppRouter = TRPCBuiltRouter<{ ctx: object; meta: object; errorShape: ApiErrorShape; transformer: true }, AppRoutes>;

export type { ErrorData, ErrorReason } from "@parley/contract/errors";
export type { ApiErrorShape } from "./errors.ts";
