import type { ParleyInputs } from "@parley/client";
import { command } from "../command.ts";
import { usage } from "../failure.ts";
import { moment } from "../output/figures.ts";
import { printList } from "../output/list.ts";
import { note, tell } from "../output/say.ts";

type Scope = NonNullable<ParleyInputs["apiKey"]["create"]["scopes"]>[number];

export const keys = command({
  name: "keys",
  aliases: ["keys list"],
  summary: "Lists your API keys",
  async run(context) {
    const items = await context.parley().api.apiKey.list.query();
    printList(context, { items }, [
      { title: "Id", value: ({ id }) => id, isWhole: true },
      { title: "Begins", value: ({ prefix }) => prefix },
      { title: "Name", value: ({ name }) => name },
      { title: "Scopes", value: ({ scopes }) => scopes.join(",") },
      { title: "Expires", value: ({ expiresAt }) => moment(expiresAt) },
      { title: "Used", value: ({ lastUsedAt }) => moment(lastUsedAt) },
    ]);
  },
});

export const createKey = command({
  name: "keys create",
  summary: "Makes an API key and prints it, this once",
  takes: "NAME",
  atLeast: 1,
  atMost: 1,
  options: {
    scope: { type: "string", multiple: true, value: "SCOPE", help: "What it may do, such as chat.read; may be repeated" },
    expires: { type: "string", value: "WHEN", help: "In so many days (30d), or on a date (2027-01-31)" },
  },
  async run(context, { scope, expires }, [name = ""]) {
    const expiresAt = expires === undefined ? undefined : whenOf(expires);
    // The server knows its scopes, and refuses others.
    const created = await context.parley().api.apiKey.create.mutate({ name, scopes: scope as Scope[] | undefined, expiresAt });
    tell(context, created, created.key);
    note("Keep it now: it is never shown again. PARLEY_TOKEN takes it");
  },
});

export const revokeKey = command({
  name: "keys revoke",
  summary: "Ends an API key, everywhere",
  takes: "ID",
  atLeast: 1,
  atMost: 1,
  async run(context, _options, [id = ""]) {
    await context.parley().api.apiKey.revoke.mutate({ id });
    tell(context, { revoked: id }, `Revoked ${id}`);
  },
});

function whenOf(given: string): Date {
  const days = /^(\d{1,5})d$/.exec(given)?.[1];
  const date = days === undefined ? new Date(given) : new Date(Date.now() + Number(days) * 86_400_000);
  if (!/^(\d{1,5}d|\d{4}-\d\d-\d\d.*)$/.test(given) || Number.isNaN(date.getTime())) {
    throw usage(`--expires takes days (30d) or a date (2027-01-31), not "${given}"`);
  }
  return date;
}
