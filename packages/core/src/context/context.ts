import type { Budget } from "../budgets/budgets.ts";
import type { Prompt } from "../generation/generate.ts";
import type { OfferedModel } from "../models/models.ts";
import type { Ports } from "../ports.ts";
import { noQuestion } from "../refusals.ts";
import type { Gathered } from "../runs/run.ts";
import type { Runs } from "../runs/runs.ts";
import { estimateRequest } from "../tokens/estimate.ts";
import { type BranchRow, walkBranch } from "./queries.ts";
import type { Summaries, Summary } from "./summaries.ts";
import {
  hasSeveralAuthors,
  newestWithin,
  roomOf,
  type Spoken,
  spoken,
  systemWith,
  tokensOfSystem,
  toModelMessages,
} from "./window.ts";

/** Few texts have more to a token: what is read is what fits, and what has just fallen out. */
const charactersPerToken = 8;
const mostCharacters = 1_000_000_000;

interface Gathering {
  userId: string;
  budget: Budget | null;
  conversationId: string;
  /** The message that is answered. */
  question: BranchRow;
  system: string | null;
  chain: readonly [OfferedModel, ...OfferedModel[]];
  parameters: Pick<Prompt, "temperature" | "topP" | "topK" | "maxTokens" | "reasoning">;
  signal: AbortSignal;
}

interface Branch {
  question: Spoken;
  /** What led to it, newest first. */
  earlier: Spoken[];
  summary: Summary | null;
  isNamed: boolean;
  /** By the database's clock; null where nothing was read. */
  readAt: string | null;
}

export type Context = ReturnType<typeof createContext>;

export function createContext({ database }: Pick<Ports, "database">, { summaries, runs }: { summaries: Summaries; runs: Runs }) {
  async function readBranch(gathering: Gathering, room: number): Promise<Branch> {
    const { userId, conversationId, question, signal } = gathering;
    if (question.parentId === null) return branchOf([question]);
    const most = Math.min(mostCharacters, charactersPerToken * Math.max(0, room));
    const rows = await walkBranch(database, { userId, conversationId, through: question.id, mostCharacters: most });
    // One answer at a time on a branch: what is still being written above comes first.
    const running = rows.find(({ status }) => status === "running")?.runId;
    if (running && !signal.aborted) {
      await runs.whenEnded(running, signal);
      return readBranch(gathering, room);
    }
    const oldest = rows.at(-1);
    const summary = oldest?.summary == null ? null : { through: oldest.id, content: oldest.summary };
    return { ...branchOf(rows.length > 0 ? rows : [question]), summary, readAt: oldest?.readAt ?? null };
  }

  /** Where the branch does not fit, its older part is summed up, so that about half of the window is free again. */
  async function sumUp(gathering: Gathering, { earlier, summary, readAt }: Branch, room: number): Promise<Summary | null> {
    const { userId, budget, conversationId, chain, signal } = gathering;
    // Whatever the question is: those who ask different ones in the same place want the same summary.
    const kept = newestWithin(earlier, room / 2);
    const [newest, ...rest] = earlier.slice(kept.length);
    if (!newest || readAt === null) return null;
    const wish = { userId, budget, conversationId, model: chain[0], kept, room, readAt, signal };
    return summaries.make({ ...wish, earlier: summary?.content ?? null, messages: [newest, ...rest] });
  }

  return {
    /** What a model is asked: the branch up to a message, as much of it as the window takes. */
    async gather(gathering: Gathering): Promise<Gathered> {
      const { system, chain, parameters } = gathering;
      const room = roomOf(chain, parameters);
      const branch = await readBranch(gathering, room);
      const { question, isNamed, readAt } = branch;
      let { earlier, summary } = branch;
      const left = () => room - tokensOfSystem(system, summary?.content ?? null);

      let kept = newestWithin(earlier, left() - question.tokens);
      const made = kept.length < earlier.length ? await sumUp(gathering, branch, left()) : null;
      if (made) {
        const place = earlier.findIndex(({ id }) => id === made.through);
        earlier = place < 0 ? earlier : earlier.slice(0, place);
        summary = made;
        kept = newestWithin(earlier, left() - question.tokens);
      }
      const messages = [question, ...kept].reverse();
      const prompt: Prompt = {
        ...parameters,
        system: systemWith(system, summary?.content ?? null),
        messages: toModelMessages(messages),
        tools: [],
      };
      const context = {
        system,
        summarisedThrough: summary?.through ?? null,
        from: messages[0]?.id ?? question.id,
        through: question.id,
        isNamed,
        readAt,
        estimatedTokens: estimateRequest(prompt),
        parameters,
      };
      return { prompt, context };
    },
  };
}

function branchOf(rows: readonly BranchRow[]): Branch {
  const isNamed = hasSeveralAuthors(rows);
  const [question, ...earlier] = spoken(rows, isNamed);
  if (!question || question.id !== rows[0]?.id) throw noQuestion();
  return { question, earlier, summary: null, isNamed, readAt: null };
}
