import type { Variable } from "./variable.ts";
import { groups, notConnected } from "./variables.ts";

const silent = new Set<string>(notConnected);

/** The text of `.env.example`: every variable with its default. */
export function envExample(): string {
  const sections = Object.entries<Record<string, Variable>>(groups).map(([title, group]) => {
    const lines = Object.entries(group).map(([name, { about, allowed, fallback }]) => {
      const yet = silent.has(name) ? "; not in this version" : "";
      const comment = about ? `# ${about} (${allowed})${yet}` : `# ${allowed}${yet}`;
      return `${comment}\n# ${name}=${fallback}`;
    });
    return `## ${title}\n\n${lines.join("\n\n")}`;
  });
  return `# Copy to .env and take the mark off what you set. Nothing here is needed for a first start.\n\n${sections.join("\n\n")}\n`;
}
