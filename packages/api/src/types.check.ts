// Compiles only while the routes that the client sees are the routes that the server has.
import type { routes } from "./router.ts";
import type { AppRoutes } from "./types.ts";

type Same<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;

export const routesAreComplete: Same<typeof routes, AppRoutes> = true;
