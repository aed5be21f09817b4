import { createContext, createSocketHub, keptCaller, restoreContext, router, type SocketOpening } from "@parley/api";
import { type SocketEnding, socketEndings } from "@parley/contract/endings";
import type { ServerSocket } from "@parley/platform/workers/runtime";
import { socketTransport } from "../../socket-transport.ts";
import type { Bindings } from "../bindings.ts";
import { readerDuties } from "../objects/duties.ts";
import type { RestedSocket } from "../objects/rested-socket.ts";
import { followAccess } from "./access-feed.ts";
import { openObjectNode } from "./edge-node.ts";
import { pacedSocket } from "./paced-socket.ts";
import type { Setup } from "./setup.ts";

export interface SocketParts {
  hold(work: Promise<void>): void;
  server: ServerSocket;
  /** All is ready for what it says. */
  accept(): void;
  /** Once, whoever has closed it. */
  closed(): void;
}

export type Beginning = { opening: SocketOpening } | { rested: RestedSocket };

/** Longer than typing lasts: whoever rests has said all that others are to hear. */
const quietMs = 10_000;
/** Those who say what passes have clocks of their own. */
const skewMs = 1_000;
/** What is on its way counts too, which elsewhere the kernel has taken. */
const overflowBytes = 4 * 1_024 * 1_024;

export type AwakeSocket = Awaited<ReturnType<typeof openAwakeSocket>>;

/** A socket with all that it needs while something is going on: its caller, what it follows, a connection to the database. */
export async function openAwakeSocket(
  { bindings, setup, server, hold, accept, closed }: SocketParts & { bindings: Bindings; setup: Setup },
  beginning: Beginning,
) {
  const rested = "rested" in beginning ? beginning.rested : null;
  let unheard = rested?.places.length ?? 0;
  // Who goes on listening hears what passed meanwhile.
  const since = () => (rested && unheard-- > 0 ? rested.since : Date.now());
  const node = openObjectNode(bindings, setup, { hold, since });
  const { services, background } = node;
  /** Undefined until the credentials have been looked at; null for a guest. */
  let userId: string | null | undefined = rested?.actor?.userId;
  const hub = createSocketHub({
    router,
    log: setup.log,
    limits: { overflowBytes },
    async createContext(caller) {
      const context = await createContext(services, caller, socketTransport);
      userId = context.actor?.userId ?? null;
      return context;
    },
    requestId: setup.gateOptions.requestId,
  });
  services.access.onChange(hub.accessChanged);
  background.begin(readerDuties);
  const gone = new AbortController();
  const [feed] = await Promise.all([
    followAccess(bindings, {
      apply(change) {
        if (userId === undefined) hub.accessChanged(change);
        else if (change.userId === userId) services.access.apply(change);
      },
      lost: () => hub.closeAll("restarting"),
      signal: gone.signal,
    }),
    node.ready(),
  ]).catch(async (cause: unknown) => {
    gone.abort();
    await node.close();
    throw cause;
  });

  const exclude = setup.handingOn.include(() => {
    const { connections, subscriptions } = hub.counts();
    return { sockets: connections, subscriptions };
  });
  accept();
  const socket = pacedSocket(server, { unread: rested?.unread ?? 0, closed: end });
  const connection =
    "opening" in beginning
      ? hub.open(socket, beginning.opening)
      : hub.resume(socket, { subscriptions: beginning.rested.subscriptions, createContext: () => restore(beginning.rested) });

  async function restore(kept: RestedSocket) {
    const context = await restoreContext(services, kept, socketTransport);
    const { refusal } = context;
    if (kept.actor && refusal && refusal.reason !== "unavailable") {
      const ending = refusal.reason === "account_disabled" ? "rights_changed" : "session_ended";
      socket.close(socketEndings[ending], ending);
    }
    return context;
  }

  function leave() {
    connection.closed();
    exclude();
    gone.abort();
    hold(node.close());
  }

  function end() {
    if (gone.signal.aborted) return;
    leave();
    closed();
  }

  return {
    message(text: string) {
      if (text === "PONG") socket.answered();
      else socket.activeAt = Date.now();
      connection.message(text);
    },
    close: (ending: SocketEnding) => hub.closeAll(ending),
    /** The client has left. */
    end,
    /** The socket itself stays. */
    leave,
    /** For as long again. */
    stay() {
      socket.activeAt = Date.now();
    },
    /** Null while anything is going on. */
    rested(): RestedSocket | null {
      if (!socket.isAnswered || Date.now() - socket.activeAt < quietMs) return null;
      const resting = connection.resting();
      return (
        resting && {
          ...keptCaller(resting.context),
          subscriptions: resting.subscriptions,
          access: feed.place(),
          places: node.places(),
          since: Date.now() - skewMs,
          unread: socket.bufferedAmount,
          isAsked: false,
        }
      );
    },
  };
}
