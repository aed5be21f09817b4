import type { Event } from "@sentry/core";
import { post } from "../../shared/post.ts";
import { eventOf } from "../../shared/sentry/error-event.ts";
import { exceptionsOf } from "../../shared/sentry/exceptions.ts";
import type { Report } from "../../shared/sentry/reporting-log.ts";
import { createSegments } from "../../shared/sentry/transactions.ts";
import type { SpanExporter } from "../../shared/tracing/finished-span.ts";
import type { HeldExporter } from "./held-exporter.ts";
import { createQuietTimes } from "./quiet-times.ts";
import { stackFrames } from "./stack-frames.ts";

export interface HeldSentryOptions {
  dsn: string;
  release: string;
  environment: string;
  node: string;
  wants: SpanExporter["wants"];
}

type Category = "error" | "transaction";

const timeoutMs = 10_000;
/** So many wait: what is beyond is given up. */
const mostWaiting = 100;

/** Sentry without its SDK, which is a twelfth of what a worker may weigh: an event is an envelope of three lines. */
export function heldSentry({ dsn, release, environment, node, wants }: HeldSentryOptions) {
  const { url, sdk } = { url: envelopeUrl(dsn), sdk: { name: "parley", version: release.split("@").at(-1) ?? "" } };
  const totals = { sent: 0, dropped: 0, failed: 0 };
  const waiting: { category: Category; event: Event; steps: number }[] = [];
  const quiet = createQuietTimes();

  function keep(category: Category, event: Event) {
    const steps = category === "error" ? 0 : 1 + (event.spans?.length ?? 0);
    if (waiting.length >= mostWaiting || quiet.covers(category)) totals.dropped += steps;
    else waiting.push({ category, event: { ...event, ...shared(), timestamp: event.timestamp ?? Date.now() / 1_000 }, steps });
  }

  const shared = () => ({
    event_id: crypto.randomUUID().replaceAll("-", ""),
    platform: "javascript",
    release,
    environment,
    server_name: node,
    sdk,
  });

  const segments = createSegments((transaction) => keep("transaction", transaction));

  async function send({ category, event, steps }: (typeof waiting)[number]) {
    if (quiet.covers(category)) {
      totals.dropped += steps;
      return;
    }
    const head = { event_id: event.event_id, sent_at: new Date().toISOString(), sdk };
    const item = { type: category === "error" ? "event" : category };
    const body = [head, item, event].map((part) => JSON.stringify(part)).join("\n");
    const posted = await post({ url, headers: { "content-type": "application/x-sentry-envelope" }, body, timeoutMs });
    if ("trouble" in posted || posted.status >= 300) totals.failed += steps;
    else totals.sent += steps;
    if (!("trouble" in posted)) quiet.note(posted);
  }

  async function flush() {
    for (let next = waiting.shift(); next; next = waiting.shift()) await send(next);
  }

  const exporter: HeldExporter = { name: "sentry", totals, wants, add: (span) => segments.add(span), flush, close: flush };

  return {
    exporter,
    report(what: Report) {
      const { error, sentence, isHandled } = what;
      keep("error", eventOf(what, exceptionsOf(error, sentence, { parse: stackFrames, isHandled })));
    },
  };
}

function envelopeUrl(dsn: string): string {
  const { protocol, host, username, pathname } = new URL(dsn);
  const [, path = "", project = ""] = /^(.*)\/(\d+)\/?$/.exec(pathname) ?? [];
  return `${protocol}//${host}${path}/api/${project}/envelope/?sentry_version=7&sentry_key=${username}`;
}
