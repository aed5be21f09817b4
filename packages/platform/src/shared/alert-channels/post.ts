import { AlertChannelError } from "@parley/core/ports";
import { post } from "../post.ts";

export interface PostOptions {
  url: string;
  timeoutMs?: number;
}

const usualTimeoutMs = 10_000;
/** What another try may change. */
const passing = (status: number) => status === 408 || status === 429 || status >= 500;

/** Tells a channel in JSON. The address may hold a secret: it is in no error. */
export async function postAlert(
  { url, timeoutMs = usualTimeoutMs }: PostOptions,
  body: string,
  headers: Record<string, string> = {},
): Promise<void> {
  const own = { "content-type": "application/json", "user-agent": "Parley" };
  const posted = await post({ url, body, timeoutMs, headers: { ...own, ...headers } });
  if ("trouble" in posted) {
    const isLate = posted.trouble === "TimeoutError";
    throw new AlertChannelError(
      isLate ? `It did not answer within ${timeoutMs / 1_000} seconds` : `It could not be reached (${posted.trouble})`,
    );
  }
  const { status, retryAfterMs } = posted;
  if (status >= 200 && status < 300) return;
  const redirected = status >= 300 && status < 400 ? ": redirects are not followed" : "";
  throw new AlertChannelError(`It answered with status ${status}${redirected}`, {
    isFinal: !passing(status),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}
