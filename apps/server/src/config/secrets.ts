import { headerList } from "./values.ts";
import type { Variable } from "./variable.ts";
import { variables } from "./variables.ts";

/** What must be in no line of a log and in no answer, as it was given. */
export function secretsOf(given: Record<string, string | undefined>): string[] {
  return Object.entries<Variable>(variables).flatMap(([name, { secret, schema }]) => {
    const text = given[name]?.trim() ?? "";
    if (secret === null) return [];
    const parts = secret === "parts" ? text.split(",") : [];
    return [text, ...parts, ...(schema === headerList ? headerValues(text) : [])].map((part) => part.trim()).filter(Boolean);
  });
}

/** As they were given and as they are sent; of `Bearer KEY`, the key alone as well. */
function headerValues(text: string): string[] {
  const given = text.split(",").map((entry) => entry.slice(entry.indexOf("=") + 1));
  const sent = Object.values(headerList.safeParse(text).data ?? {});
  return [...given, ...sent, ...sent.map((value) => value.slice(value.lastIndexOf(" ") + 1))];
}
