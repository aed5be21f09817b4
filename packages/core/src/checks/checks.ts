import { inTime, tenths } from "../in-time.ts";
import type { Providers } from "../models/providers.ts";
import type { Dependency, Ports } from "../ports.ts";
import { type Check, type CheckReport, type Found, reportOf } from "./report.ts";
import { diskCheck, memoryCheck, providersCheck } from "./room.ts";
import { sharedAnswer } from "./shared-answer.ts";

type CheckPorts = Pick<Ports, "clock" | "dependencies" | "system">;

export type Checks = ReturnType<typeof createChecks>;

/** Whether this process can do its work: asked by load balancers and operators, as often as they like. */
export function createChecks(
  { clock, dependencies, system }: CheckPorts,
  { providers }: { providers: Pick<Providers, "configured"> },
) {
  let isDraining = false;
  const needed = dependencies.filter(({ isNeeded }) => isNeeded).map((dependency) => questionsOf(dependency));
  const optional = dependencies.filter(({ isNeeded }) => !isNeeded).map((dependency) => questionsOf(dependency));

  function question(name: string, ask: () => Promise<void>, trouble: Pick<Check, "status" | "detail">) {
    return async (): Promise<Found> => {
      const asked = await inTime(ask);
      return { [name]: "answer" in asked ? { status: "ok", ms: asked.ms } : { ...trouble, ms: asked.ms } };
    };
  }

  /** What one service is asked, one question after the other, until one is not answered. */
  function questionsOf({ name, isNeeded, ping, isMigrated }: Dependency) {
    const questions = [question(name, ping, { status: isNeeded ? "down" : "degraded", detail: away[name] })];
    if (isMigrated) {
      const check = async () => {
        if (!(await isMigrated())) throw new Error("a migration is missing");
      };
      questions.push(question("migrations", check, { status: "down", detail: "not all that this version needs are applied" }));
    }
    return async (): Promise<Found> => {
      const found: Found = {};
      for (const ask of questions) {
        Object.assign(found, await ask());
        if (reportOf(found).status !== "ok") break;
      }
      return found;
    };
  }

  const askAll = async (questions: readonly (() => Promise<Found>)[]): Promise<Found> =>
    Object.assign({}, ...(await Promise.all(questions.map((ask) => ask()))));

  const whatIsNeeded = sharedAnswer(clock, () => askAll(needed));
  const everything = sharedAnswer(clock, async () => {
    const startedAt = performance.now();
    const room = system.readRoom().then((read) => ({ read, ms: since(startedAt) }));
    const services = await askAll([whatIsNeeded, ...optional]);
    const { read, ms } = await room;
    return {
      ...services,
      ...("redis" in services ? {} : { redis: { status: "ok", ms: 0, detail: "not set up: everything works without it" } }),
      disk: diskCheck(read.disk, ms),
      memory: memoryCheck(read.memory, ms),
      providers: providersCheck(providers.configured()),
    } satisfies Found;
  });

  const draining: Found = { draining: { status: "down", ms: 0, detail: "the server is about to stop" } };

  return {
    /** From now on this process wants no new callers. */
    drain() {
      isDraining = true;
    },
    isDraining: () => isDraining,
    /** Whether callers may be sent here. */
    async ready(): Promise<CheckReport> {
      return reportOf(isDraining ? draining : await whatIsNeeded());
    },
    /** Everything, each part with its time. */
    async health(): Promise<CheckReport> {
      const found = await everything();
      return reportOf(isDraining ? { ...found, ...draining } : found);
    },
  };
}

const away: Record<Dependency["name"], string> = {
  database: "no answer",
  redis: "no answer: everything works without it, each node counts limits by itself meanwhile",
  eventLog: "away: this node goes on by itself, and other nodes hear of it later",
};

const since = (startedAt: number) => tenths(performance.now() - startedAt);
