import { check } from "./checks.ts";
import { type Lane, openLane } from "./lane.ts";
import { describeOperation, type Operation, planOperations } from "./operations.ts";
import { createRandom, seedOf } from "./random.ts";
import { openScene } from "./scene.ts";
import { type LogKind, openWorld } from "./world.ts";

export interface SoakPlan {
  kind: LogKind;
  seed: number;
  cases: number;
  /** No new case begins after so long. */
  milliseconds?: number;
}

const lanes: Record<LogKind, number> = { memory: 1, postgres: 4, redis: 4, edge: 8 };

/** Plays so many cases, and throws at the first that does not hold. The number of cases that did. */
export async function soak({ kind, seed, cases, milliseconds = Number.POSITIVE_INFINITY }: SoakPlan): Promise<number> {
  const world = await openWorld(kind);
  const until = Date.now() + milliseconds;
  let next = 0;
  let failure: Error | null = null;
  try {
    const opened: Lane[] = [];
    for (let index = 0; index < Math.min(lanes[kind], cases); index++) opened.push(await openLane(world, `lane${index}`));
    await Promise.all(
      opened.map(async (lane) => {
        while (next < cases && !failure && Date.now() < until) {
          const index = next++;
          failure ??= await playCase(lane, { seed: seedOf(seed, index), index });
        }
      }),
    );
    if (failure) throw failure;
    await Promise.all(opened.map((lane) => lane.close()));
    return next;
  } finally {
    await world.close();
  }
}

async function playCase(lane: Lane, { seed, index }: { seed: number; index: number }): Promise<Error | null> {
  const random = createRandom(seed);
  const runs = random.between(2, 3);
  const { nodes, world } = lane;
  const { isDriven } = world;
  const operations = planOperations(random, { runs, nodes: nodes.length, hasRedis: world.redis !== null, isDriven });
  const scene = await openScene(lane, { key: `${seed.toString(36)}-${index}`, random, runs });
  const performed: Operation[] = [];
  try {
    for (const operation of operations) {
      performed.push(operation);
      await scene.perform(operation);
      if (scene.violations.length > 0) break;
    }
    if (scene.violations.length === 0) {
      const toStop = await scene.settle();
      await check(scene, toStop);
    }
  } catch (error) {
    scene.complain(`the case itself failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
  scene.close();
  return scene.violations.length === 0 ? null : report(scene, { seed, index, performed });
}

function report(
  { violations, lane, runs, listeners }: Awaited<ReturnType<typeof openScene>>,
  { seed, index, performed }: { seed: number; index: number; performed: Operation[] },
): Error {
  const { kind } = lane.world;
  const lines = [
    `Case ${index} does not hold on the ${kind} log. Repeat it: npm run soak -- --log ${kind} --seed ${seed} --cases 1`,
    ...violations.slice(0, 20).map((violation) => `  ✗ ${violation}`),
    "What happened:",
    ...performed.map((operation, position) => `  ${position + 1}. ${describeOperation(operation)}`),
    "The runs:",
    ...runs.map(({ index, owner, runId, play: { plan, calls } }) => {
      const planned = plan.attempts.map(({ pieces, ending }) => `${pieces.length} pieces and ${ending}`).join(", then ");
      const called = calls.map((call) => `${call.said.length} at ${call.node}`).join(", ");
      return `  ${index}. ${runId} of ${owner.name}: ${planned}${plan.mayFailOver ? ", may fail over" : ""}; said ${called || "nothing"}`;
    }),
    "What the followers had last:",
    ...runs.flatMap(({ index, followers }) =>
      followers.flatMap((follower, number) => (follower ? `  ${index}.${number} ${follower.trail.slice(-20).join(", ")}` : [])),
    ),
    "What the devices had last:",
    ...listeners.map(({ trail }, index) => `  ${index}. ${trail.slice(-30).join(", ")}`),
    "What the nodes wrote:",
    ...lane.nodes.flatMap(({ name, log }) =>
      log.lines
        .filter(({ level }) => level === "warn" || level === "error")
        .slice(-15)
        .map(({ level, message, fields }) => `  ${name} ${level} ${message} ${describeFields(fields)}`),
    ),
  ];
  return new Error(lines.join("\n"));
}

function describeFields({ err, ...fields }: Record<string, unknown>): string {
  return JSON.stringify({ ...fields, ...(err instanceof Error && { err: String(err.cause ?? err).slice(0, 300) }) });
}
