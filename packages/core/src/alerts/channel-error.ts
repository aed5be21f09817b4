/** Somebody outside did not take an alert. The message is for people: no address, no secret, no words of theirs. */
export class AlertChannelError extends Error {
  override readonly name = "AlertChannelError";
  /** Another try would end in the same way. */
  readonly isFinal: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { isFinal = false, retryAfterMs }: { isFinal?: boolean; retryAfterMs?: number } = {}) {
    super(message);
    this.isFinal = isFinal;
    this.retryAfterMs = retryAfterMs;
  }
}
