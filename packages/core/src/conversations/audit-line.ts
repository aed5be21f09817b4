import type { AuditAction, AuditEntry } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";

/** Of something that was done to a conversation, or to who is in it. */
export function auditLine(
  { userId }: Actor,
  action: AuditAction,
  { id, address, details = {} }: Caller & { id: string; details?: AuditEntry["details"] },
): AuditEntry {
  return { actorId: userId, action, target: `conversation:${id}`, outcome: "done", address, details };
}
