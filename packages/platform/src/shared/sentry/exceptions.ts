import { causesOf, ownCodeOf } from "@parley/core/ports";
import type { Exception, StackParser } from "@sentry/core";

/**
 * An error without its message, which may quote what people wrote, a key or a statement's parameters: what is left are its class,
 * its code, and where it came from. The sentence is ours, and the request id leads to the message in the log.
 */
export function exceptionsOf(error: unknown, sentence: string, { parse, isHandled }: { parse: StackParser; isHandled: boolean }) {
  const exceptions = causesOf(error).map(
    (cause): Exception => ({
      type: wordOr(cause.name, "Error"),
      value: ownCodeOf(cause) ?? sentence,
      stacktrace: { frames: parse(framesOf(cause)) },
    }),
  );
  if (exceptions.length === 0) exceptions.push({ type: `Thrown ${error === null ? "null" : typeof error}`, value: sentence });
  const [outermost] = exceptions;
  if (outermost) outermost.mechanism = { type: "parley", handled: isHandled };
  // The innermost is first, by Sentry's rules.
  return exceptions.reverse();
}

function wordOr(text: string, other: string): string {
  return /^[\w.-]{1,60}$/.test(text) ? text : other;
}

/** A stack begins with the message, and a message may look like a stack. */
function framesOf({ stack = "", message }: Error): string {
  const after = stack.indexOf(message) === -1 ? 0 : stack.indexOf(message) + message.length;
  const lines = stack.slice(after).split("\n");
  return lines.filter((line) => /^\s+at /.test(line)).join("\n");
}
