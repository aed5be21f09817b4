import { setTimeout as pause } from "node:timers/promises";
import { createParley, isParleyError } from "@parley/client";
import type { SendAccepted } from "@parley/contract";
import type { Script, Step } from "@parley/testing";
import { type AnswerPlan, type PlannedAttempt, planAnswer } from "./answer-plan.ts";
import { checkHeld, checkStored, readStored } from "./checks.ts";
import { nothingHeld } from "./held.ts";
import { openLine, type Target } from "./line.ts";
import { openProcessWorld, type ProcessWorld } from "./process-world.ts";
import { createRandom, type Random, seedOf } from "./random.ts";
import { type ClientReader, readWithClient } from "./reader.ts";
import type { Call } from "./stage.ts";
import type { LogKind, Person } from "./world.ts";

interface ProcessRun {
  name: string;
  owner: Person;
  plan: AnswerPlan;
  forbidden: string[];
  random: Random;
  accepted: SendAccepted | null;
  mayBeStopped: boolean;
  mayBeInterrupted: boolean;
  savedLength: number;
  isOver: boolean;
  readers: ClientReader[];
}

const patienceMs = 90_000;
const sureToBeSavedMs = 4_000;
const peopleCount = 4;
/** The vendor's models are not known yet in the first moments of a process. */
const passing = ["unavailable", "model_unknown"];

/** Plays so many cases at once against real processes that are killed meanwhile, and throws when one does not hold. */
export async function soakProcesses({ kind, seed, cases }: { kind: LogKind; seed: number; cases: number }) {
  const violations: string[] = [];
  const complain = (what: string) => violations.push(what);
  const world = await openProcessWorld(kind);
  try {
    const runs = Array.from({ length: cases }, (_, index) => planCase(createRandom(seedOf(seed, index)), index)).flat();
    world.upstream.models(
      "openai",
      runs.flatMap(({ plan }) => plan.attempts.map(({ model }) => model)),
    );
    for (const { plan, random } of runs) {
      for (const attempt of plan.attempts) world.upstream.byModel(attempt.model, scriptOf(attempt, random));
    }
    await world.open();
    const people = await register(world);
    for (const run of runs) run.owner = people.find(({ name }) => name === run.owner.name) ?? run.owner;
    const isOver = new AbortController();
    const mishaps = makeTrouble(world, { runs, random: createRandom(seed), signal: isOver.signal });
    await Promise.all(runs.map((run) => play(world, run, complain)));
    isOver.abort();
    await mishaps;
    await readAgain(world, runs, complain);
    await world.read(async (database) => {
      for (const run of runs) {
        const tell = (what: string) => complain(`${run.name}: ${what}`);
        const judged = { ...run, play: { plan: run.plan, calls: callsOf(world, run.plan) } };
        const stored = run.accepted && (await readStored(database, judged));
        if (!stored) tell("was never accepted, or is not in the database");
        else {
          checkStored(judged, stored, tell);
          for (const reader of run.readers) checkHeld(reader, { run: judged, stored, complain });
        }
      }
    });
    if (violations.length > 0) throw new Error(report(world, { kind, seed, cases, violations }));
  } finally {
    await world.close();
  }
}

function planCase(random: Random, index: number): ProcessRun[] {
  const first = random.below(peopleCount);
  const second = (first + 1 + random.below(peopleCount - 1)) % peopleCount;
  const plans = [first, second].map((person, position) => {
    const key = `${index}-${position}`;
    const owner = { name: `person-${person}`, token: "" };
    return { key, owner, plan: planAnswer(random, { key, owner: owner.name, models: [`soak-${key}-a`, `soak-${key}-b`] }) };
  });
  return plans.map(({ key, owner, plan }) => ({
    name: `case ${index}, run ${key}`,
    owner,
    plan,
    forbidden: plans.filter((other) => other.plan !== plan).map((other) => other.plan.mark),
    random: createRandom(random.below(2 ** 32)),
    accepted: null,
    mayBeStopped: false,
    mayBeInterrupted: false,
    savedLength: 0,
    isOver: false,
    readers: [],
  }));
}

/** Slow enough to be killed in the middle. */
function scriptOf({ pieces, ending }: PlannedAttempt, random: Random): Script {
  if (pieces.length === 0) return { refusal: { status: 400 } };
  const usage = { input: 10, output: pieces.length };
  const longest = (2 * random.between(1_000, 9_000)) / pieces.length;
  const steps: Step[] = pieces.flatMap(({ type, text }) => [
    { waitMs: random.between(0, Math.ceil(longest)) },
    type === "text" ? { text } : { reasoning: text },
  ]);
  if (ending === "fail") steps.push({ error: { type: "bad_request", message: "The script says so" } });
  if (ending === "cut") steps.push({ silence: true });
  return { steps, usage };
}

async function register({ nodes }: ProcessWorld): Promise<Person[]> {
  const { api } = createParley({ url: nodes[0]?.url ?? "", transport: "sse" });
  return Promise.all(
    Array.from({ length: peopleCount }, async (_, index) => {
      const name = `person-${index}`;
      const registered = await api.auth.register.mutate({ email: `${name}@example.com`, password: "Correct-horse-1" });
      if ("next" in registered) throw new Error("The account has to be verified first");
      return { name, token: registered.tokens.accessToken ?? "" };
    }),
  );
}

function targetOf({ nodes }: ProcessWorld, random: Random): Target {
  return () => {
    const living = nodes.filter(({ isAlive }) => isAlive);
    return living[random.below(living.length)]?.connect() ?? null;
  };
}

async function play(world: ProcessWorld, run: ProcessRun, complain: (what: string) => void) {
  const { random, owner } = run;
  const target = targetOf(world, random);
  await pause(random.below(4_000));
  const line = await openLine(target);
  line.cutAfter(() => (random.chance(0.2) ? random.between(1, 1_500) : null));
  const parley = createParley({ url: `http://127.0.0.1:${line.port}`, token: owner.token, transport: "sse" });
  const insist = <Result>(call: () => Promise<Result>) => untilAccepted(call, (what) => complain(`${run.name}: ${what}`));
  const { question, attempts, mayFailOver } = run.plan;
  const [first, ...others] = attempts;
  run.accepted = await insist(() =>
    parley.api.chat.send.mutate({
      clientMessageId: question,
      content: question,
      model: first.model,
      fallbacks: others.map(({ model }) => model),
      failover: mayFailOver,
    }),
  );
  const runId = run.accepted?.answer?.runId;
  if (!runId) return;
  const followers = Array.from({ length: 2 }, async (_, index) => {
    await pause(random.below(5_000));
    const name = `${run.name}, reader ${index}`;
    const reader = await readWithClient({ name, runId, token: owner.token, forbidden: run.forbidden, target, random, complain });
    run.readers.push(reader);
    if (!(await reader.untilEnd(patienceMs))) complain(`${name} has had no end after ${patienceMs} ms`);
    run.isOver = true;
  });
  if (random.chance(0.15)) {
    await pause(random.below(4_000));
    run.mayBeStopped = true;
    await insist(() => parley.api.chat.stop.mutate({ runId }));
  }
  await Promise.all(followers);
  line.close();
}

async function untilAccepted<Result>(call: () => Promise<Result>, complain: (what: string) => void): Promise<Result | null> {
  for (const until = Date.now() + patienceMs; Date.now() < until; await pause(200)) {
    try {
      return await call();
    } catch (error) {
      if (!isParleyError(error) || passing.includes(error.reason)) continue;
      complain(`was refused: ${error.reason}, ${error.message}`);
      return null;
    }
  }
  complain("could not be sent");
  return null;
}

interface Trouble {
  runs: ProcessRun[];
  random: Random;
  signal: AbortSignal;
}

/** Three processes die at random moments, one after the other. */
async function makeTrouble(world: ProcessWorld, { runs, random, signal }: Trouble) {
  for (let kills = 0; kills < 3; kills++) {
    await pause(random.between(1_500, 3_500));
    if (signal.aborted) return;
    const index = random.below(world.nodes.length);
    const now = Date.now();
    for (const run of runs) {
      if (run.isOver) continue;
      if (!run.mayBeInterrupted)
        run.savedLength = Math.max(0, ...run.readers.map((reader) => heldBefore(reader, now - sureToBeSavedMs)));
      run.mayBeInterrupted = true;
    }
    await world.nodes[index]?.end("SIGKILL");
    if (random.chance(0.5)) await world.redis?.flush();
    await pause(random.below(1_500));
    await world.restart(index);
  }
}

function heldBefore({ earlier }: ClientReader, time: number): number {
  return earlier.findLast(({ at }) => at < time)?.state.text.length ?? 0;
}

/** Those who come late, and those who come again from anywhere. */
async function readAgain(world: ProcessWorld, runs: ProcessRun[], complain: (what: string) => void) {
  await Promise.all(
    runs.map(async (run) => {
      const { random, owner, forbidden } = run;
      const runId = run.accepted?.answer?.runId;
      if (!runId) return;
      const places = [nothingHeld, ...run.readers.flatMap(({ earlier }) => earlier.map(({ state }) => state))].filter(
        ({ end }) => !end,
      );
      for (const from of [nothingHeld, places[random.below(places.length)] ?? nothingHeld]) {
        const name = `${run.name}, late reader`;
        const target = targetOf(world, random);
        const reader = await readWithClient({ name, runId, token: owner.token, forbidden, target, random, complain });
        reader.beginFrom(from);
        run.readers.push(reader);
        if (!(await reader.untilEnd(patienceMs))) complain(`${name} has had no end`);
      }
      for (const reader of run.readers) reader.close();
    }),
  );
}

/** The calls that reached the vendor for this answer, and not for a title or a summary. */
function callsOf({ upstream }: ProcessWorld, { question, attempts }: AnswerPlan): Call[] {
  return upstream.calls.flatMap(({ kind, body }) => {
    if (kind !== "generate") return [];
    const { model, messages } = body as { model: string; messages: { content: unknown }[] };
    const attempt = attempts.find((planned) => planned.model === model);
    if (!attempt || JSON.stringify(messages.at(-1)?.content) !== JSON.stringify(question)) return [];
    return [{ node: "", model, attempt, said: attempt.pieces, isOver: true }];
  });
}

function report(
  { nodes }: ProcessWorld,
  { kind, seed, cases, violations }: { kind: LogKind; seed: number; cases: number; violations: string[] },
): string {
  return [
    `Real processes do not hold on the ${kind} log. Repeat it: npm run soak -- --processes --log ${kind} --seed ${seed} --cases ${cases}`,
    ...violations.map((violation) => `  ✗ ${violation}`),
    "What the processes wrote last:",
    ...nodes.flatMap(({ lines }) => lines.slice(-10)),
  ].join("\n");
}
