import { forTerminal } from "./clean.ts";
import { moment } from "./figures.ts";
import { bold, dim } from "./style.ts";

interface Described {
  role: string;
  author: { name: string } | null;
  model: string | null;
  status: string;
  content: string;
  createdAt: Date;
}

export function describeMessage({ role, author, model, status, content, createdAt }: Described): string {
  const who = forTerminal(author?.name ?? model ?? role);
  const how = status === "complete" ? "" : `, ${status}`;
  return `${bold(who)} ${dim(`${moment(createdAt)}${how}`)}\n${forTerminal(content)}\n`;
}
