import { DrizzleQueryError } from "drizzle-orm";
import { codeOf } from "../causes.ts";
import type { Meters } from "../metrics/meters.ts";
import type { Ports } from "../ports.ts";
import type { Database } from "./index.ts";

type Session = Database["_"]["session"];
type Prepared = ReturnType<Session["prepareQuery"]>;

interface Ended {
  /** Since then, the wait for a connection included. */
  startedAt: number;
  /** Of what was prepared. */
  name: string | undefined;
  failure: string | null;
}

/** The same database, with every statement timed: also those of its transactions, by hand or by a query builder. */
export function meteredDatabase(database: Database, { scopes, meters }: Pick<Ports, "scopes"> & { meters: Meters }): Database {
  const timed = (query: Prepared, name: string | undefined): Prepared => {
    const execute = query.execute.bind(query);
    query.execute = async (values) => {
      const startedAt = performance.now();
      meters.underWay.statements++;
      try {
        const result = await execute(values);
        ended({ startedAt, name, failure: null });
        return result;
      } catch (error) {
        meters.statementErrors.add(1);
        ended({ startedAt, name, failure: codeOf(error) });
        // The log says its name instead of its text.
        if (name !== undefined && error instanceof DrizzleQueryError) Object.assign(error, { statement: name });
        throw error;
      }
    };
    return query;
  };

  function ended({ startedAt, name = "statement", failure }: Ended) {
    const milliseconds = performance.now() - startedAt;
    meters.underWay.statements--;
    meters.statements.observe(milliseconds / 1_000);
    const scope = scopes.current();
    if (!scope) return;
    scope.databaseMs += milliseconds;
    // By its name: neither its text nor what it was given.
    const attributes = { "db.system.name": "postgresql", "db.query.summary": name };
    scope.span?.past(name, { kind: "client", startedAt, failure, attributes });
  }

  const overSession = (session: Session): Session =>
    new Proxy(session, {
      get(target, name) {
        if (name === "prepareQuery") {
          return (...given: Parameters<Session["prepareQuery"]>) => timed(target.prepareQuery(...given), given[2]);
        }
        return bound(target, Reflect.get(target, name));
      },
    });

  const over = (inner: Database): Database => {
    const session = overSession(inner._.session);
    const known = { ...inner._, session };
    return new Proxy(inner, {
      get(target, name, receiver) {
        if (name === "_") return known;
        if (name === "session") return session;
        if (name === "transaction") {
          return (work: (transaction: Database) => Promise<unknown>, options: undefined) =>
            target.transaction((transaction) => work(over(transaction)), options);
        }
        return Reflect.get(target, name, receiver);
      },
    });
  };
  return over(database);
}

function bound(target: object, found: unknown): unknown {
  return typeof found === "function" ? found.bind(target) : found;
}
