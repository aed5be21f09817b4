import type { Parley } from "@parley/client";
import type { GivenEverywhere } from "./command.ts";
import { connect } from "./connect.ts";
import { readSettings, serverUrl } from "./settings.ts";

/** What a command is given. */
export interface Context {
  url: string;
  json: boolean;
  /** Of one server, for whoever is signed in there; made when it is first asked for. */
  parley(): Parley;
  /** Aborted when the server was never there, or has been away for too long; the reason says so. */
  lost: AbortSignal;
  /** A key in place of a person's session. */
  hasKey: boolean;
  close(): Promise<void>;
}

export async function createContext({ url: given, json = false }: GivenEverywhere): Promise<Context> {
  const url = serverUrl(given ?? (process.env.PARLEY_URL || undefined) ?? (await readSettings()).url);
  let connection: ReturnType<typeof connect> | undefined;
  const open = () => {
    connection ??= connect(url);
    return connection;
  };
  return {
    url,
    json,
    parley: () => open().parley,
    get lost() {
      return open().lost;
    },
    hasKey: Boolean(process.env.PARLEY_TOKEN),
    async close() {
      await connection?.parley.close();
    },
  };
}
