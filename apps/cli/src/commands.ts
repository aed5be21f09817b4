import type { Command } from "./command.ts";
import { ask } from "./commands/ask.ts";
import { attach } from "./commands/attach.ts";
import { chat } from "./commands/chat.ts";
import { completionOf } from "./commands/completion.ts";
import { conversations } from "./commands/conversations.ts";
import { exportCommand } from "./commands/export.ts";
import { createKey, keys, revokeKey } from "./commands/keys.ts";
import { login } from "./commands/login.ts";
import { logout } from "./commands/logout.ts";
import { messages } from "./commands/messages.ts";
import { metrics } from "./commands/metrics.ts";
import { models } from "./commands/models.ts";
import { register } from "./commands/register.ts";
import { search } from "./commands/search.ts";
import { serve } from "./commands/serve.ts";
import { endSession, sessions } from "./commands/sessions.ts";
import { stop } from "./commands/stop.ts";
import { whoami } from "./commands/whoami.ts";

export const commands: readonly Command[] = [
  ask,
  chat,
  attach,
  stop,
  conversations,
  messages,
  search,
  exportCommand,
  models,
  login,
  register,
  logout,
  whoami,
  sessions,
  endSession,
  keys,
  createKey,
  revokeKey,
  metrics,
  serve,
  completionOf(() => commands),
];

/** By the longest name that the words begin with. */
export function findCommand(words: readonly string[]): { command: Command; rest: string[] } | null {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = commands.find((each) => each.name === name || each.aliases?.includes(name));
    if (command && words.length >= length) return { command, rest: words.slice(length) };
  }
  return null;
}
