import { type BodySink, type FollowedBody, followBody } from "@parley/core/ports";

/** The chunks of a body as they come: without a promise each where its `fetch` can do that. */
export function followChunks(body: ReadableStream<Uint8Array>, sink: BodySink): { stop(): void } {
  if (isFollowed(body)) return body[followBody](sink);
  const reader = body.getReader();
  let isOver = false;

  async function readAll() {
    for (;;) {
      const { done, value } = await reader.read();
      if (isOver) return;
      if (done) return sink.end();
      sink.chunk(value);
    }
  }

  readAll().catch((error: unknown) => {
    if (!isOver) sink.fail(error);
  });
  return {
    stop() {
      isOver = true;
      reader.cancel().catch(() => {});
    },
  };
}

function isFollowed(body: ReadableStream<Uint8Array>): body is FollowedBody {
  return followBody in body;
}
