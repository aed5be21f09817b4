import { expect, test } from "vitest";
import { paced } from "./paced-fetch.ts";

test("a stream that is there at once gives others their turns, and is all there", async () => {
  const pieces = Array.from({ length: 100 }, (_, index) => Uint8Array.of(index));
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  const taken: Uint8Array[] = [];
  for await (const piece of paced(source)) taken.push(piece);
  clearInterval(counting);
  expect(taken).toEqual(pieces);
  expect(turns).toBeGreaterThanOrEqual(8);
});
