import type { Receipt, RunError } from "@parley/contract/events";
import type { Budget } from "../budgets/budgets.ts";
import { chargeWithoutRun } from "../budgets/queries.ts";
import type { Generate, Prompt } from "../generation/generate.ts";
import type { Models, OfferedModel } from "../models/models.ts";
import { thoughtTokens } from "../models/provider.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { createStorableText } from "../storable-text.ts";
import { receiptOf } from "../tokens/costs.ts";
import { underSpan } from "../tracing/traced.ts";

interface Task {
  name: "title" | "summary";
  /** Who pays. */
  userId: string;
  budget: Budget | null;
  model: OfferedModel;
  system: string;
  text: string;
  maxTokens: number;
  /** Null where nobody can call it off. */
  signal: AbortSignal | null;
}

/** Nothing that we ask for is longer, whatever a model says. */
const longest = 100_000;
/** A model that was too slow is not waited for again at once. */
const restMs = 5 * 60_000;

export type Tasks = ReturnType<typeof createTasks>;

/** Small work of our own that a model does for a person: charged like an answer, and nobody misses it when it fails. */
export function createTasks(
  { database, clock, ids, log, scopes }: Pick<Ports, "database" | "clock" | "ids" | "log" | "scopes">,
  { taskModel, generation: { taskMs } }: Settings,
  { models, generate }: { models: Models; generate: Generate },
) {
  const underWay = new Set<AbortController>();
  const resting = new Map<string, number>();
  let isClosing = false;

  async function say(task: Task, signal: AbortSignal): Promise<{ text: string; error: RunError | null }> {
    const { userId, budget, model } = task;
    const runId = ids.next();
    const storable = createStorableText();
    let text = "";
    const { attempts, error } = await generate(
      { runId, userId, budget, chain: [model], prompt: promptOf(task), mayFailOver: false, signal },
      {
        text(piece) {
          if (text.length < longest) text += storable.add(piece);
        },
        reasoning() {},
        toolCall() {},
        failOver() {},
      },
    );
    await charge(task, receiptOf(runId, attempts));
    return { text, error };
  }

  /** Its id names nothing but its rows in the ledger: a task has no run. */
  async function charge({ userId, budget }: Task, receipt: Receipt): Promise<void> {
    if (receipt.attempts.length > 0 || budget) await chargeWithoutRun(database, { ...receipt, userId });
  }

  function answerTo(task: Task): Promise<string | null> {
    const { id } = task.model.model;
    return withDeadline(task.signal, taskMs, async (abort) => {
      underWay.add(abort);
      try {
        const { text, error } = await say(task, abort.signal);
        if (abort.signal.reason === "late") resting.set(id, clock.now().getTime() + restMs);
        if (!error && !abort.signal.aborted) return text.trim() || null;
        log.info({ model: id, reason: error?.reason ?? abort.signal.reason }, "a model did not do a task of ours");
        return null;
      } finally {
        underWay.delete(abort);
      }
    });
  }

  return {
    /** Who does it for a conversation with this model; null for nobody. */
    modelFor(own: OfferedModel): OfferedModel | null {
      if (taskModel === "off") return null;
      const model = taskModel === "same" ? own : models.find(taskModel);
      return model && !model.provider.isStandIn ? model : null;
    },

    /** Null when there is no answer, for whatever reason. */
    async ask(task: Task): Promise<string | null> {
      const { id } = task.model.model;
      if (isClosing || (resting.get(id) ?? 0) > clock.now().getTime()) return null;
      const span = scopes.current()?.span?.branch(`task ${task.name}`, { kind: "internal", attributes: { "parley.model": id } });
      if (!span) return answerTo(task);
      try {
        const answer = await underSpan(scopes, span, () => answerTo(task));
        if (answer === null) span.fail("unanswered");
        return answer;
      } finally {
        span.end();
      }
    },

    /** Ends what is under way: the process closes. */
    interrupt() {
      isClosing = true;
      for (const abort of underWay) abort.abort("interrupted");
    },
  };
}

function promptOf({ model, system, text, maxTokens }: Task): Prompt {
  return {
    system,
    messages: [{ role: "user", parts: [{ type: "text", text }] }],
    tools: [],
    temperature: null,
    topP: null,
    topK: null,
    // Some cannot be kept from thinking, and their thoughts count.
    maxTokens: maxTokens + (model.model.reasoning ? thoughtTokens.low : 0),
    reasoning: "off",
  };
}

/** Calls off what takes too long, or whose caller leaves. The reason says which. */
async function withDeadline<Result>(
  signal: AbortSignal | null,
  milliseconds: number,
  work: (abort: AbortController) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  const limit = setTimeout(() => abort.abort("late"), milliseconds);
  const leave = () => abort.abort("stopped");
  if (signal?.aborted) leave();
  signal?.addEventListener("abort", leave, { once: true });
  try {
    return await work(abort);
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener("abort", leave);
  }
}
