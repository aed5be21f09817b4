import { admin } from "./routers/admin.ts";
import { apiKey } from "./routers/api-key.ts";
import { auth } from "./routers/auth.ts";
import { chat } from "./routers/chat.ts";
import { metrics } from "./routers/metrics.ts";
import { model } from "./routers/model.ts";
import { session } from "./routers/session.ts";
import { user } from "./routers/user.ts";
import { createRouter } from "./trpc.ts";

export const routes = { admin, apiKey, auth, chat, metrics, model, session, user };

export const router = createRouter(routes);

export type Router = typeof router;
