import { type AppError, invalidField } from "./errors.ts";

/** An id, as a part of a pattern. */
export const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** No id sorts before the one, none after the other. */
export const firstId = "00000000-0000-0000-0000-000000000000";
export const lastId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

export const foreignCursor = (): AppError => invalidField("cursor", "This cursor does not belong here");
