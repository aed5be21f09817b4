import type { FollowedEvent } from "@parley/client";
import { expect, test, vi } from "vitest";
import { createAnswers } from "./answers.ts";

const deltas = 100;

async function* written(): AsyncGenerator<FollowedEvent> {
  yield { id: "0", type: "run-start", runId: "run", messageId: "2", conversationId: "1", provider: "p", model: "m", attempt: 1 };
  for (let offset = 0; offset < deltas; offset++) yield { id: `${offset + 1}`, type: "text-delta", offset, text: "a" };
  await new Promise(() => {});
}

test("a hundred pieces at once are shown once, and two watchers follow once", async () => {
  const follow = vi.fn(written);
  const { current, watch } = createAnswers({ chat: { follow } }, { ended() {}, lost() {} });
  let changes = 0;
  const whole = new Promise<void>((resolve) => {
    current.subscribe(() => {
      changes++;
      if (current.get().get("run")?.text.length === deltas) resolve();
    });
  });
  const [leave, stay] = [watch("run"), watch("run")];
  leave();
  await whole;
  expect(changes).toBeLessThan(3);
  expect(follow).toHaveBeenCalledTimes(1);
  stay();
  await vi.waitFor(() => expect(current.get().size).toBe(0));
});
