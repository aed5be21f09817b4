import {
  type EventLogKind,
  eventLogKinds,
  openTestDatabase,
  openTestEventLog,
  type TestDatabase,
  type TestEventLog,
  testClock,
} from "@parley/testing";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { eventLogContract } from "../contracts/event-log.ts";

let database: TestDatabase;
const open: TestEventLog[] = [];
const clock = testClock();

const node = async (kind: EventLogKind) => {
  const log = await openTestEventLog(kind, { database, clock });
  open.push(log);
  return log;
};

describe.each(eventLogKinds.filter((kind) => kind !== "memory"))("the event log on %s", (kind) => {
  beforeAll(async () => {
    database = await openTestDatabase(process.env.TEST_DATABASE_URL ? "postgres" : "pglite");
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((log) => log.close()));
  });
  afterAll(() => database.close());

  describe("on one node", () => {
    eventLogContract(async () => {
      const log = await node(kind);
      return { writer: log, reader: log };
    });
  });

  describe("on two nodes", () => {
    eventLogContract(async () => ({ writer: await node(kind), reader: await node(kind) }));
  });
});
