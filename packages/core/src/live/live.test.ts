import { databaseKinds, openTestDatabase, testServices } from "@parley/testing";
import { expect, test } from "vitest";

/** A log that has lost its place, whatever it is asked. */
function lostLog(eventLog: ReturnType<typeof testServices>["eventLog"]) {
  let follows = 0;
  const gap: (typeof eventLog)["follow"] = (_topic, _after, sink) => {
    follows++;
    sink.end("gap");
    return { resume() {}, stop() {} };
  };
  return { log: { ...eventLog, follow: gap }, follows: () => follows };
}

test.each(databaseKinds.slice(0, 1))(
  "a log that has lost its place is asked less and less often, and its reader can leave",
  async (kind) => {
    await using database = await openTestDatabase(kind);
    const whole = testServices(database);
    const { log, follows } = lostLog(whole.eventLog);
    const node = testServices(database, { eventLog: log });
    const { actor } = await node.person();
    const live = (await node.live.follow(actor, {}))[Symbol.asyncIterator]();
    expect((await live.next()).value?.event).toEqual({ type: "resync" });
    expect((await live.next()).value?.event).toEqual({ type: "resync" });
    const before = follows();
    expect(before).toBeLessThan(5);
    await live.return?.();
    await node.stop();
    await whole.stop();
  },
);
