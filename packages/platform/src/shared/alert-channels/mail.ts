import { alertLetter } from "@parley/core";
import type { AlertChannel, AlertNotice, Mailer } from "@parley/core/ports";

interface Options {
  mailer: Mailer;
  to: readonly string[];
  /** Where people reach this server; null where nobody knows. */
  link: string | null;
}

/** A letter to each address. At another try, who already has one gets no second. */
export function mailChannel({ mailer, to, link }: Options): AlertChannel {
  const reached = new WeakMap<AlertNotice, Set<string>>();
  return {
    name: "mail",
    async send(notice) {
      const done = reached.get(notice) ?? new Set();
      reached.set(notice, done);
      const sent = await Promise.allSettled(
        to
          .filter((address) => !done.has(address))
          .map(async (address) => {
            await mailer.send(alertLetter(notice, { to: address, link }));
            done.add(address);
          }),
      );
      const failed = sent.find((each) => each.status === "rejected");
      if (failed) throw failed.reason;
    },
  };
}
