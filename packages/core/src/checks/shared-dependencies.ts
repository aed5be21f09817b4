import type { Dependency, Ports } from "../ports.ts";
import { oneAtATime } from "./shared-answer.ts";

/** What is beside us, with what nodes share events by. Readings and checks put a question together, and once at a time. */
export function sharedDependencies({
  clock,
  dependencies,
  eventLog,
}: Pick<Ports, "clock" | "dependencies" | "eventLog">): Dependency[] {
  const all: Dependency[] = [...dependencies, { name: "eventLog", isNeeded: false, ping: () => eventLog.ping() }];
  return all.map(({ name, isNeeded, ping, isMigrated }) => ({
    name,
    isNeeded,
    ping: oneAtATime(clock, ping),
    ...(isMigrated && { isMigrated: oneAtATime(clock, isMigrated) }),
  }));
}
