// Compiles only while the routes that the client sees are the routes that the server has.
import type { ApiErrorShape } from "./errors.ts";
import type { Router, routes } from "./router.ts";
import type { AppRoutes } from "./types.ts";

type Same<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;

export const routesAreComplete: Same<typeof routes, AppRoutes> = true;

// tRPC falls back to its own shape, without a word, when a part of ours is wider than it allows.
export const errorsAreOurs: Same<Router["_def"]["_config"]["$types"]["errorShape"], ApiErrorShape> = true;
