const turnEvery = 8;

/** What comes as fast as it is read would keep the isolate to itself: after so many pieces, others have their turn. */
export function paced(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  let pieces = 0;
  return source.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      async transform(piece, controller) {
        controller.enqueue(piece);
        if (++pieces % turnEvery === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      },
    }),
  );
}

export async function pacedFetch(...given: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(...given);
  return response.body ? new Response(paced(response.body), response) : response;
}
