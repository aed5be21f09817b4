import type { Audit } from "../audit/audit.ts";
import type { Announcements } from "../conversations/announcements.ts";
import type { Conversations } from "../conversations/conversations.ts";
import type { Live } from "../live/live.ts";
import type { Ports } from "../ports.ts";
import { createExport } from "./conversation-export.ts";
import { createImport } from "./conversation-import.ts";

/** Conversations that leave as a file, and come back. */
export function createTransfer(
  ports: Pick<Ports, "database" | "clock" | "ids">,
  parts: { announcements: Announcements; audit: Audit; conversations: Conversations; live: Live },
) {
  return { ...createExport(ports, parts), ...createImport(ports, parts) };
}
