import type { AlertTest, TestAlert } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import { AppError } from "../errors.ts";
import { inTime, TooLateError } from "../in-time.ts";
import type { AlertChannel, AlertNotice, Ports } from "../ports.ts";
import type { Announce } from "./announce.ts";
import { AlertChannelError } from "./channel-error.ts";

const patienceMs = 15_000;

/** An operator wants to see an alert arrive: once, without another try. */
export function createChannelTests(
  { channels, clock, ids, log, system: { node } }: Pick<Ports, "channels" | "clock" | "ids" | "log" | "system">,
  { announce }: { announce: Announce },
) {
  function notice(): AlertNotice {
    const at = clock.now();
    const text = "This is a test: alerts of this server arrive here";
    const alert = { rule: "test", subject: node, severity: "warning" as const, text, value: 0, threshold: 0, unit: "" };
    return announce.noticeOf("test", { id: ids.next(), ...alert, openedAt: at, seenAt: at, resolvedAt: null });
  }

  async function ask(channel: AlertChannel, sent: AlertNotice): Promise<AlertTest["items"][number]> {
    const { name } = channel;
    const asked = await inTime(() => channel.send(sent), patienceMs);
    if ("answer" in asked) return { channel: name, ok: true, trouble: null };
    const { error } = asked;
    log.warn({ err: error, channel: name }, "a test alert could not be sent");
    const isForPeople = error instanceof AlertChannelError || error instanceof AppError || error instanceof TooLateError;
    return { channel: name, ok: false, trouble: isForPeople ? error.message : "It could not be sent: the log says why" };
  }

  return async function test({ userId }: Actor, { channel: name }: NonNullable<TestAlert>): Promise<AlertTest> {
    const chosen = name === undefined ? channels : channels.filter((channel) => channel.name === name);
    if (name !== undefined && chosen.length === 0) throw new AppError("not_found", `The channel "${name}" is not set up`);
    const sent = notice();
    announce.tellLive([userId], sent);
    return { items: await Promise.all(chosen.map((channel) => ask(channel, sent))) };
  };
}
