import { command } from "../command.ts";
import { usage } from "../failure.ts";
import { moment } from "../output/figures.ts";
import { printList } from "../output/list.ts";
import { tell } from "../output/say.ts";

export const sessions = command({
  name: "sessions",
  aliases: ["sessions list"],
  summary: "Lists your signed-in devices; this one is marked",
  async run(context) {
    const items = await context.parley().api.session.list.query();
    printList(context, { items }, [
      { title: "", value: ({ current }) => (current ? "*" : "") },
      { title: "Id", value: ({ id }) => id, isWhole: true },
      { title: "Device", value: ({ device: { name, browser, os } }) => name ?? [browser, os].filter(Boolean).join(", ") },
      { title: "Address", value: ({ ip }) => ip },
      { title: "Active", value: ({ lastActiveAt }) => moment(lastActiveAt) },
    ]);
  },
});

export const endSession = command({
  name: "sessions end",
  summary: "Signs a device out, or all others",
  takes: "[ID]",
  atMost: 1,
  options: { others: { type: "boolean", help: "All but this one" } },
  async run(context, { others = false }, [id]) {
    if (others === (id !== undefined)) throw usage("`parley sessions end` takes the id of a session, or --others");
    const { session } = context.parley().api;
    if (id === undefined) await session.endOthers.mutate();
    else await session.end.mutate({ id });
    tell(context, { ended: id ?? "others" }, id === undefined ? "All other sessions have ended" : `Ended ${id}`);
  },
});
