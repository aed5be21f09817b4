import { AppError, type Services, toAppError } from "@parley/core";
import type { Scopes, Span, SpanOrigin } from "@parley/core/ports";
import type { Bindings } from "../bindings.ts";
import { errorFrom, type RemoteError, remoteErrors } from "./remote-error.ts";

type Turns = Services["turns"];

/** What an object answers: an error of ours would arrive without its reason, and any other with its message. */
export type Outcome<Result> =
  | { result: Result }
  | { refusal: Pick<AppError, "reason" | "message" | "retryAfterMs" | "issues"> }
  | { failure: RemoteError[] };

async function outcomeOf<Result>(work: () => Promise<Result>): Promise<Outcome<Result>> {
  try {
    return { result: await work() };
  } catch (error) {
    const refusal = toAppError(error);
    if (!refusal) return { failure: remoteErrors(error) };
    const { reason, message, retryAfterMs, issues } = refusal;
    return { refusal: { reason, message, retryAfterMs, issues } };
  }
}

export type OwnTurns = ReturnType<typeof ownTurns>;

/** As the object of a run takes them: its errors are made plain here, so that it starts without what knows them. */
export const ownTurns = ({ send, regenerate }: Turns) => ({
  send: (...given: Parameters<Turns["send"]>) => outcomeOf(() => send(...given)),
  regenerate: (...given: Parameters<Turns["regenerate"]>) => outcomeOf(() => regenerate(...given)),
});

function resultOf<Result>(outcome: Outcome<Result>): Result {
  if ("result" in outcome) return outcome.result;
  if ("failure" in outcome) throw errorFrom(outcome.failure);
  const { reason, message, retryAfterMs, issues } = outcome.refusal;
  throw new AppError(reason, message, { ...(retryAfterMs !== undefined && { retryAfterMs }), ...(issues && { issues }) });
}

const originOf = (span: Span | null | undefined): SpanOrigin | null =>
  span ? { traceId: span.traceId, id: span.id, takers: span.takers } : null;

/** Each run has an object to itself, which goes on when everybody has left. */
export function remoteTurns({ RUNS }: Pick<Bindings, "RUNS">, scopes: Scopes): Turns {
  const fresh = () => RUNS.get(RUNS.newUniqueId());
  /** The trace goes on there. */
  const origin = () => originOf(scopes.current()?.span);
  return {
    send: async (actor, input) => resultOf(await fresh().send(actor, input, origin())),
    regenerate: async (actor, input) => resultOf(await fresh().regenerate(actor, input, origin())),
  };
}
