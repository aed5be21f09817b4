import { auth } from "./routers/auth.ts";
import { chat } from "./routers/chat.ts";
import { model } from "./routers/model.ts";
import { createRouter } from "./trpc.ts";

export const routes = { auth, chat, model };

export const router = createRouter(routes);

export type Router = typeof router;
