import { isDeepStrictEqual } from "node:util";
import type { SendAccepted } from "@parley/contract";
import { type Database, schema } from "@parley/core/database";
import { and, eq } from "drizzle-orm";
import type { ActedRun } from "./acted-run.ts";
import { isBeginning, storedForm } from "./answer-plan.ts";
import type { Way } from "./connection.ts";
import { type HeldState, messageStatus, nothingHeld } from "./held.ts";
import type { Scene } from "./scene.ts";
import type { Play } from "./stage.ts";

const { messages, runs: runRows, usageLedger } = schema;
const patienceMs = 15_000;

export type Stored = NonNullable<Awaited<ReturnType<typeof readStored>>>;
type Complain = (what: string) => void;

/** A run that is over, and what is known of how it went. */
export interface Judged {
  accepted: SendAccepted | null;
  play: Pick<Play, "plan" | "calls">;
  mayBeStopped: boolean;
  mayBeInterrupted: boolean;
  savedLength: number;
}

/** Holds N1 to N5 of one case whose runs are all over. */
export async function check(scene: Scene, toStop: ReadonlySet<ActedRun>) {
  for (const run of scene.runs) {
    if (!run.accepted) continue;
    const complain = (what: string) => scene.complain(`run ${run.index}: ${what}`);
    const stored = await readStored(scene.world.database, run);
    if (!stored) complain("is not in the database");
    else {
      checkStored(run, stored, complain);
      if (toStop.has(run) && !isOneOf(stored.status, run.mayBeInterrupted ? ["stopped", "interrupted"] : ["stopped"])) {
        complain(`was stopped, and is ${stored.status}`);
      }
      await checkFollowers(scene, run, stored);
    }
  }
  await checkListeners(scene);
}

export async function readStored(database: Database, { accepted, play }: Judged) {
  const [runId, answerId] = [accepted?.answer?.runId ?? "", accepted?.answer?.messageId ?? ""];
  const run = await database.query.runs.findFirst({ where: eq(runRows.id, runId) });
  const answer = await database.query.messages.findFirst({ where: eq(messages.id, answerId) });
  const questions = await database.query.messages.findMany({
    where: and(eq(messages.conversationId, accepted?.conversationId ?? ""), eq(messages.content, play.plan.question)),
  });
  const runsOfAnswer = await database.query.runs.findMany({ where: eq(runRows.messageId, answerId) });
  const ledger = await database.query.usageLedger.findMany({ where: eq(usageLedger.runId, runId) });
  if (!run || !answer) return null;
  const reasoning = answer.parts.map((part) => (part.type === "reasoning" ? part.text : "")).join("");
  const { status, attempts, failovers } = run;
  return { status, attempts, failovers, answer, text: answer.content, reasoning, questions, runsOfAnswer, ledger };
}

/** N1, N3 and N4. */
export function checkStored(run: Judged, stored: Stored, complain: Complain) {
  checkState(run, stored, complain);
  checkCalls(run, stored, complain);
}

function checkState(run: Judged, { status, answer, text, failovers, questions, runsOfAnswer }: Stored, complain: Complain) {
  const { plan, calls } = run.play;
  if (questions.length !== 1 || questions[0]?.id !== run.accepted?.message.id)
    complain(`its message is there ${questions.length} times`);
  if (runsOfAnswer.length !== 1) complain(`its answer has ${runsOfAnswer.length} runs`);
  if (status === "running") return complain("is still running");
  if (answer.status !== messageStatus[status]) complain(`is ${status}, and its message ${answer.status}`);
  if (status === "interrupted" && !run.mayBeInterrupted) complain("is interrupted, and nothing happened to its process");
  if (status === "stopped" && !run.mayBeStopped) complain("is stopped, and nobody stopped it");
  const spoken = calls.map((call) => ({ call, whole: storedForm(call.attempt?.pieces ?? [], "text") }));
  // What was said before a declared failover is void; a model that failed before its first word leaves no trace here.
  const current = spoken.filter(({ call }) => call.attempt?.pieces.length)[failovers.length];
  if (text !== "" && !isBeginning(text, current?.whole ?? "")) {
    complain(`its stored text was not said by who spoke last: ${JSON.stringify(text.slice(0, 200))}`);
  }
  const last = spoken.at(-1);
  if (status === "completed" && text !== last?.whole) complain("is completed with another text than the model's");
  if (status === "failed" && last && text !== storedForm(last.call.said, "text"))
    complain("has failed without all that was said");
  if (text.length < run.savedLength && plan.attempts.length === 1) {
    complain(`${run.savedLength} characters were saved, and ${text.length} are kept`);
  }
}

function checkCalls(run: Judged, { attempts, ledger }: Stored, complain: Complain) {
  const called = run.play.calls.map(({ model }) => model);
  if (new Set(called).size !== called.length) complain(`a model was called twice: ${called.join(", ")}`);
  const declared = attempts.map(({ model }) => model);
  const isSame = declared.join() === called.join();
  if (!isSame && !(run.mayBeInterrupted && declared.every((model) => called.includes(model)))) {
    complain(`calls to ${called.join(", ") || "nobody"}, and attempts at ${declared.join(", ") || "nobody"}`);
  }
  if (ledger.length !== attempts.length) complain(`${attempts.length} attempts, and ${ledger.length} rows in the ledger`);
  const sum = (tokens: { output: number }[]) => tokens.reduce((total, { output }) => total + output, 0);
  if (sum(ledger) !== sum(attempts.map(({ tokens }) => tokens))) complain("the ledger has other tokens than the receipt");
}

/** N2: those who were there, those who come again, and those who come late. */
async function checkFollowers(scene: Scene, run: ActedRun, stored: Stored) {
  const { random, lane } = scene;
  const way = () => wayOf(scene);
  const patience = { within: patienceMs, meanwhile: () => Promise.all(lane.nodes.map((node) => node.lookForEnds())) };
  const readers = run.followers.filter((follower) => follower !== undefined);
  for (const follower of readers) {
    follower.flow();
    for (let tries = 0; !follower.state.end && tries < 10; tries++) {
      if (!follower.isConnected || tries > 0) follower.connect(way());
      await follower.over(patience);
    }
    checkHeld(follower, { run, stored, complain: scene.complain });
  }
  if (scene.world.redis && random.chance(0.2)) await scene.world.redis.flush();
  const [again] = readers;
  if (again?.state.end) {
    again.connect(way());
    if (!(await again.over(patience))) scene.complain(`${again.name}: has had the end, and is kept waiting`);
  }
  const late = await scene.follower(run, scene.followersOfRun);
  for (let reading = 0; reading < 3; reading++) {
    const places = run.followers.flatMap((follower) => follower?.earlier.filter(({ end }) => !end) ?? []);
    const from = (reading > 0 && places[random.below(places.length)]) || nothingHeld;
    for (let tries = 0; late && tries < 10; tries++) {
      late.connect(way(), tries === 0 ? from : late.state);
      await late.over(patience);
      if (late.state.end) break;
    }
    if (late) checkHeld(late, { run, stored, complain: scene.complain });
  }
}

export function checkHeld(
  { name, state }: { name: string; state: HeldState },
  { run, stored, complain }: { run: Judged; stored: Stored; complain: Complain },
) {
  const { text, reasoning, end } = state;
  if (!end) return complain(`${name}: has had no end`);
  if (text !== stored.text) complain(`${name}: holds ${describe(text)}, and ${describe(stored.text)} is stored`);
  if (end.status !== stored.status) complain(`${name}: was told ${end.status}, and the run is ${stored.status}`);
  const hasReasoning = run.mayBeInterrupted ? reasoning.startsWith(stored.reasoning) : reasoning === stored.reasoning;
  if (!hasReasoning) complain(`${name}: holds other reasoning than what is stored`);
  // What a writer has spent that was only taken for dead is added when it finds out: who was told of the end before knows nothing of it.
  const isTooEarly = run.mayBeInterrupted && end.status === "interrupted" && end.receipt.attempts.length === 0;
  if (!isTooEarly && !isDeepStrictEqual(end.receipt.attempts, stored.attempts)) complain(`${name}: has another receipt`);
}

/** What is told to a person's devices is told once, on whichever node they are, and not at all to the other's. */
async function checkListeners(scene: Scene) {
  for (const run of scene.runs) {
    const { accepted, runId } = run;
    const listener = scene.listenerOf(run);
    // A process that died may have told nobody.
    if (!accepted || !runId || run.mayBeInterrupted || !listener) continue;
    listener.expect("message-created", accepted.message.id, run.listenedSince);
    listener.expect("run-ended", runId, listener.heardOfStart(runId));
  }
  for (const listener of scene.listeners) {
    listener.flow();
    for (let tries = 0; tries < 10 && listener.untold().length > 0; tries++) {
      if (!listener.isConnected) listener.connect(wayOf(scene));
      await listener.untilTold({ within: patienceMs / 5, meanwhile: async () => {} });
    }
    for (const what of listener.untold()) scene.complain(`nobody told of ${what}`);
  }
}

function wayOf({ random, lane }: Scene): Way {
  return { node: lane.living(random), by: random.chance(0.5) ? "websocket" : "sse" };
}

function describe(text: string): string {
  return `${text.length} characters (…${JSON.stringify(text.slice(-30))})`;
}

function isOneOf(status: string, allowed: readonly string[]): boolean {
  return allowed.includes(status);
}
