import { sha256, toHex } from "../auth/secrets.ts";

const earliest = Date.UTC(2000, 0, 1);
const dayMs = 24 * 3_600_000;

/**
 * An id for what a person imports of a source, from one that is new. Made again from itself it says whether a later part belongs
 * there, so that nothing has to be kept, nothing tells others of the source, and no change of the conversation gets in the way.
 */
export async function importedConversationId(
  id: string,
  { userId, source }: { userId: string; source: string },
): Promise<string> {
  const fresh = id.slice(0, 24);
  return fresh + toHex(await sha256(`import:${userId}:${source}:${fresh}`)).slice(0, 12);
}

/**
 * The id of a message in the conversation that it is imported into: always the same, so that parts find each other and a part
 * that comes twice changes nothing, and nobody else's. It sorts as it did, by its own time, or else by the message's.
 */
export async function importedId(conversationId: string, id: string, createdAt: Date | null): Promise<string> {
  const hash = toHex(await sha256(`import:${conversationId}:${id}`));
  const order = hasOrder(id, createdAt) ? id.slice(0, 18) : orderOf(createdAt ?? new Date(earliest), hash.slice(-3));
  const variant = ((Number.parseInt(hash.slice(0, 1), 16) & 0x3) | 0x8).toString(16);
  return `${order}-${variant}${hash.slice(1, 4)}-${hash.slice(4, 16)}`;
}

/** A UUIDv7 begins with its time. One from the future would stay at the end of its conversation. */
function hasOrder(id: string, createdAt: Date | null): boolean {
  const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return id[14] === "7" && time >= earliest && (createdAt === null || time <= createdAt.getTime() + dayMs);
}

function orderOf(createdAt: Date, rest: string): string {
  const time = createdAt.getTime().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest}`;
}
