import type { CacheMethods, LimitMethods, TopicMethods } from "@parley/platform/workers";
import { named, type ObjectNamespace, type Remote, type SleeperMethods } from "@parley/platform/workers/runtime";
import type { AccessMethods } from "./objects/access-object.ts";
import type { KeeperMethods } from "./objects/keeper-object.ts";
import type { MetersMethods } from "./objects/meters-object.ts";
import type { RunMethods } from "./objects/run-object.ts";

/** An object that is asked over HTTP too, as a socket's is. */
interface Fetched {
  fetch(request: Request): Promise<Response>;
}

/** What `wrangler.jsonc` gives the worker: the environment's variables are beside these. */
export interface Bindings {
  HYPERDRIVE: { connectionString: string };
  TOPICS: ObjectNamespace<Remote<TopicMethods>>;
  RUNS: ObjectNamespace<Remote<RunMethods>>;
  SOCKETS: ObjectNamespace<Fetched & Remote<SleeperMethods>>;
  ACCESS: ObjectNamespace<Remote<AccessMethods>>;
  LIMITS: ObjectNamespace<Remote<LimitMethods>>;
  CACHE: ObjectNamespace<Remote<CacheMethods>>;
  METERS: ObjectNamespace<Remote<MetersMethods>>;
  KEEPER: ObjectNamespace<Remote<KeeperMethods>>;
}

/** One for all. */
export const metersOf = ({ METERS }: Pick<Bindings, "METERS">) => named(METERS, "meters");
