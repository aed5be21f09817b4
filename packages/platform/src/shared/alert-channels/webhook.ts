import type { AlertChannel, Clock } from "@parley/core/ports";
import { type PostOptions, postAlert } from "./post.ts";

interface Options extends PostOptions {
  /** Without one, nothing is signed. */
  secret: string | null;
  node: string;
  clock: Clock;
}

/** The alert as it is. Whoever knows the secret can tell that it is ours, and that it is fresh. */
export function webhookChannel({ secret, node, clock, ...target }: Options): AlertChannel {
  return {
    name: "webhook",
    async send({ id, state, alert }) {
      const sentAt = clock.now();
      const body = JSON.stringify({ id, state, alert, node, sentAt });
      await postAlert(target, body, secret === null ? {} : { "x-parley-signature": await signature(body, { secret, sentAt }) });
    },
  };
}

async function signature(body: string, { secret, sentAt }: { secret: string; sentAt: Date }): Promise<string> {
  const seconds = Math.floor(sentAt.getTime() / 1_000);
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), algorithm, false, ["sign"]);
  const signed = await crypto.subtle.sign("HMAC", key, bytes.encode(`${seconds}.${body}`));
  const hex = Array.from(new Uint8Array(signed), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `t=${seconds},v1=${hex}`;
}
