import type { AppRouter } from "@parley/api/types";
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";

/**
 * What each procedure takes.
 *
 * @example
 * ```ts
 * type SendMessage = ParleyInputs["chat"]["send"];
 * ```
 */
export type ParleyInputs = inferRouterInputs<AppRouter>;

/**
 * What each procedure answers.
 *
 * @example
 * ```ts
 * type User = ParleyOutputs["auth"]["me"]["user"];
 * ```
 */
export type ParleyOutputs = inferRouterOutputs<AppRouter>;
