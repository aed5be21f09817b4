import type { FeedSink } from "@parley/core";
import { expect, test } from "vitest";
import { FeedLane } from "./feed-lane.ts";
import type { Host, Outlet, Waiter } from "./lane.ts";

/** A socket that takes so many entries and then is full until it is read. */
function slowOutlet(room: number) {
  const delivered: string[] = [];
  const waiters: Waiter[] = [];
  let left = room;
  let isOver = false;
  const host: Host = {
    bodies: { tracked: (id) => id, data: String, error: String },
    invoke: async () => null,
    get isFull() {
      return left <= 0;
    },
    prepare: async () => {},
    deliver() {},
    fail() {},
    report() {},
    wait: (waiter) => waiters.push(waiter),
    forget() {},
    ended() {},
  };
  const outlet: Outlet = {
    host,
    get isOver() {
      return isOver;
    },
    deliver(body) {
      left--;
      delivered.push(body);
    },
    fail() {
      isOver = true;
    },
    finish() {
      isOver = true;
      delivered.push("finished");
    },
  };
  const read = (more: number) => {
    left = more;
    for (const waiter of waiters.splice(0)) waiter.resume();
  };
  return { outlet, delivered, read };
}

test("a feed that hands over several entries to a full socket, and ends, loses none of them", () => {
  const { outlet, delivered, read } = slowOutlet(1);
  let sink: FeedSink<unknown> | undefined;
  new FeedLane(outlet, (given) => {
    sink = given;
    return { resume() {}, stop() {} };
  }).start();
  for (const id of ["1", "2", "3", "4", "5"]) sink?.entry({ id, event: {} }, id !== "5");
  sink?.end();
  expect(delivered).toEqual(["1"]);
  read(2);
  expect(delivered).toEqual(["1", "2", "3"]);
  read(2);
  expect(delivered).toEqual(["1", "2", "3", "4", "5", "finished"]);
});
