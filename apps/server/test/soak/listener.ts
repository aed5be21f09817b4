import type { LiveEvent } from "@parley/contract/events";
import { Connection, type Patience, type Way } from "./connection.ts";

interface Listening {
  name: string;
  token: string;
  forbidden: readonly string[];
  complain: (what: string) => void;
}

/** What had happened by the time it was told. While the store is away it is told without a number, and again when it comes again. */
interface Telling {
  resyncs: number;
  connections: number;
  hasNumber: boolean;
}

export type Listener = Awaited<ReturnType<typeof openListener>>;

/** One person's device, through all of its connections: what it is told, it is told once. */
export async function openListener({ name, token, forbidden, complain: tell }: Listening) {
  const complain = (what: string) => tell(`${name}'s device: ${what}`);
  const told = new Map<string, Telling>();
  const expected = new Map<string, number>();
  const trail: string[] = [];
  let resyncs = 0;
  let connections = 0;
  let lastEventId: string | null = null;

  function note(what: string, { id, hasNumber }: { id: string; hasNumber: boolean }) {
    const before = told.get(`${what} ${id}`);
    const isKnown = before?.resyncs === resyncs && (before.hasNumber || before.connections === connections);
    if (isKnown) complain(`was told of ${what} ${id} again`);
    told.set(`${what} ${id}`, { resyncs, connections, hasNumber });
  }

  const connection = await Connection.open({
    path: "chat.live",
    token,
    forbidden,
    complain,
    event(id, data) {
      const event = data as LiveEvent;
      const hasNumber = id !== lastEventId;
      lastEventId = id;
      trail.push(`${event.type} ${id}`);
      if (event.type === "message-created") note(event.type, { id: event.message.id, hasNumber });
      if (event.type === "run-started" || event.type === "run-ended") note(event.type, { id: event.runId, hasNumber });
      if (event.type === "resync") {
        resyncs++;
        if (trail.at(-2)?.startsWith("resync") && trail.at(-3)?.startsWith("resync"))
          complain("is sent to read everything again and again");
      }
    },
    finished: () => complain("was told that nothing more will come"),
  });
  /** What came before a resync has to be read again: nobody tells of it. */
  const untold = () => Array.from(expected).flatMap(([what, since]) => (told.has(what) || since < resyncs ? [] : [what]));

  return {
    /** What has come, for a report. */
    trail,
    /** Null while it has been told nothing, and might miss what comes; then it changes whenever it has missed something. */
    get since() {
      return lastEventId === null ? null : resyncs;
    },
    /** When it heard of the start of a run; null when it did not. */
    heardOfStart: (runId: string) => told.get(`run-started ${runId}`)?.resyncs ?? null,
    expect(what: "message-created" | "run-ended", id: string, since: number | null) {
      if (since !== null) expected.set(`${what} ${id}`, since);
    },
    connect(way: Way) {
      connections++;
      trail.push(`[${way.by} to ${way.node.name} after ${lastEventId}]`);
      connection.connect(way, { ...(lastEventId !== null && { lastEventId }) });
    },
    get isConnected() {
      return connection.isOpen;
    },
    flow: () => connection.flow(),
    /** Until it has been told all that it should have been. */
    untilTold: (patience: Patience) => connection.until(() => untold().length === 0 || !connection.isOpen, patience),
    untold,
    close: () => connection.close(),
  };
}
