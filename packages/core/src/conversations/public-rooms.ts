import type { ListPublic, PublicRoomPage } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import type { Database } from "../database/index.ts";
import type { Ports } from "../ports.ts";
import { insertConversation } from "./change-queries.ts";
import { formatTimeCursor, parseTimeCursor } from "./cursors.ts";
import { listPublicRooms } from "./public-room-queries.ts";

const perPage = 20;
const list = "public";

/** What everybody who is signed in may find and join. */
export function createPublicRooms({ database }: Pick<Ports, "database">) {
  return {
    async list(actor: Actor, { cursor, limit = perPage, search }: ListPublic): Promise<PublicRoomPage> {
      const after = cursor === undefined ? null : parseTimeCursor(list, cursor);
      const rows = await listPublicRooms(database, { userId: actor.userId, search: search ?? null, after, limit: limit + 1 });
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      const nextCursor = last ? formatTimeCursor(list, last.place) : null;
      return { items: page.map(({ room }) => room), nextCursor };
    },
  };
}

/** The room that is there from the first account on. */
export async function openGeneralRoom(database: Database, room: { id: string; ownerId: string }): Promise<void> {
  await insertConversation(database, { ...room, title: "general", titleBy: "person", visibility: "public" });
}
