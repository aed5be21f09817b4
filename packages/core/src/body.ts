/** Told of a body as it comes. Nothing follows the end, a failure, or a stop. */
export interface BodySink {
  chunk(bytes: Uint8Array): void;
  end(): void;
  fail(error: unknown): void;
}

export const followBody = Symbol("parley.followBody");

/** The body of a response that can also be had without a promise a chunk; nothing is told before this returns. */
export interface FollowedBody extends ReadableStream<Uint8Array> {
  readonly [followBody]: (sink: BodySink) => { stop(): void };
}
