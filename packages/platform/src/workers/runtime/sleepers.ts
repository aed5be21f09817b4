import type { SocketEnding } from "@parley/contract/endings";
import type { ObjectNamespace, ObjectStorage, Remote } from "./types.ts";

/** The object of a socket, which may be out of memory while the socket is quiet. */
export interface SleeperMethods {
  /** Something has come for it, or its end. False when it has no socket any more. */
  wake(ending: SocketEnding | null): Promise<boolean>;
}

interface Options {
  sql: ObjectStorage["sql"];
  sockets: ObjectNamespace<Remote<SleeperMethods>>;
  hold(work: Promise<void>): void;
  /** It was woken, has left or has vanished. */
  gone?(socket: string): void;
}

export interface Sleeper {
  /** The id of the socket's object. */
  socket: string;
  userId: string;
  sessionId: string;
  /** Through this socket the session hears what concerns its user. */
  isListening: boolean;
}

/** Sleepers say once in a while that they are still there. Who has not for so long has vanished without a word. */
export const lookAfterMs = 5 * 60_000;
const leaseMs = 2 * lookAfterMs + 60_000;
const mostTries = 5;
const retryMs = 300;

export type Sleepers = ReturnType<typeof openSleepers>;

/** Who sleeps and wants to be woken, in the storage of the object that wakes them. */
export function openSleepers({ sql, sockets, hold, gone = () => {} }: Options) {
  sql.exec(`create table if not exists sleepers
    (socket text primary key, user_id text not null, session_id text not null, is_listening integer not null, until integer not null);
    create index if not exists sleepers_by_user on sleepers (user_id)`);
  /** Most objects have none, and ask the table nothing; and others may ask how many there are, who may not ask the table. */
  let count = sql.exec<{ count: number }>("select count(*) as count from sleepers").toArray()[0]?.count ?? 0;
  const waking = new Set<string>();
  const has = (socket: string) => find("socket = ?", socket).length > 0;

  function find(where: string, ...values: (string | number)[]): Sleeper[] {
    if (count === 0) return [];
    const columns = 'socket, user_id as "userId", session_id as "sessionId", is_listening as "isListening"';
    const rows = sql.exec<Record<"socket" | "userId" | "sessionId", string> & { isListening: number }>(
      `select ${columns} from sleepers where ${where}`,
      ...values,
    );
    return rows.toArray().map((row) => ({ ...row, isListening: row.isListening === 1 }));
  }

  function remove(where: string, value: string | number) {
    for (const { socket } of find(where, value)) {
      sql.exec("delete from sleepers where socket = ?", socket);
      count--;
      gone(socket);
    }
  }

  async function wake(socket: string, ending: SocketEnding | null) {
    try {
      for (let tries = 1; tries <= mostTries; tries++) {
        try {
          await sockets.get(sockets.idFromString(socket)).wake(ending);
          return;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, retryMs * tries));
        }
      }
    } finally {
      // One that could not be told finds out when it next says that it is there.
      remove("socket = ?", socket);
      waking.delete(socket);
    }
  }

  return {
    get count() {
      return count;
    },
    /** Somebody has still to be told of something. */
    get isWaking() {
      return waking.size > 0;
    },
    add({ socket, userId, sessionId, isListening }: Sleeper) {
      if (!has(socket)) count++;
      sql.exec(
        "insert or replace into sleepers values (?, ?, ?, ?, ?)",
        socket,
        userId,
        sessionId,
        isListening ? 1 : 0,
        Date.now() + leaseMs,
      );
    },
    has,
    all: () => find("until >= ?", Date.now()),
    of: (userId: string) => find("until >= ? and user_id = ?", Date.now(), userId),
    remove: (socket: string) => remove("socket = ?", socket),
    forgetVanished: () => remove("until < ?", Date.now()),
    wake(socket: string, ending: SocketEnding | null = null) {
      if (waking.has(socket)) return;
      waking.add(socket);
      hold(wake(socket, ending));
    },
  };
}
