import { newId } from "../new-id.ts";

const answerMs = 3_000;
const checkMs = 20_000;
const settleMs = 50;

export interface Part<Word> {
  /** From now on this tab speaks for all of them, until it is told to stop. */
  speak(say: (word: Word) => void): () => void;
  /** How things stand, for one who has just come; undefined while there is nothing to say. */
  standing(): Word | undefined;
  /** What another tab says; `isAnswer` to this one's own question. */
  hear(word: Word, isAnswer: boolean): void;
}

/** Whoever speaks next has the next turn: what one says who has lost it without knowing is heard by nobody. */
type Message<Word> = { from: string; asks: true } | { turn: number; to?: string; word: Word };

/**
 * One of the tabs that know this name speaks, and the others hear it. When it is gone, or sleeps, another one takes its place.
 * Returns how to leave.
 */
export function joinTabs<Word>(name: string, part: Part<Word>): () => void {
  const me = newId();
  const channel = new BroadcastChannel(name);
  let waiting = new AbortController();
  let turn = 0;
  /** Undefined while another tab speaks. */
  let fallSilent: (() => void) | undefined;
  let hasLeft = false;
  let heardAt = 0;

  const post = (message: Message<Word>) => {
    if (!hasLeft) channel.postMessage(message);
  };

  channel.onmessage = ({ data }: MessageEvent<Message<Word>>) => {
    if ("asks" in data) {
      const word = fallSilent && part.standing();
      if (word) post({ turn, to: data.from, word });
      return;
    }
    if (data.turn < turn || (fallSilent && data.turn === turn)) return;
    turn = data.turn;
    heardAt = Date.now();
    fallSilent?.();
    if ((data.to ?? me) === me) part.hear(data.word, data.to === me);
  };

  /** Until this tab leaves, or another one takes the turn. */
  async function takeTurns(options: LockOptions): Promise<void> {
    while (!hasLeft) {
      let isOver = false;
      const hold = async () => {
        // What the one before has said is heard first.
        await new Promise((resolve) => setTimeout(resolve, settleMs));
        if (hasLeft || isOver) return;
        const mine = ++turn;
        const stop = part.speak((word) => {
          if (turn === mine) post({ turn, word });
        });
        await new Promise<void>((resolve) => {
          fallSilent = () => {
            fallSilent = undefined;
            stop();
            resolve();
          };
        });
      };
      // It is refused when this tab has left, or another one has taken the turn.
      await navigator.locks.request(name, options, hold).catch(() => {});
      isOver = true;
      fallSilent?.();
      if (options.signal?.aborted) return;
      options = { signal: waiting.signal };
    }
  }

  function check() {
    if (fallSilent) return;
    const askedAt = Date.now();
    post({ from: me, asks: true });
    setTimeout(() => {
      if (fallSilent || hasLeft || heardAt >= askedAt) return;
      waiting.abort();
      waiting = new AbortController();
      void takeTurns({ steal: true });
    }, answerMs);
  }

  void takeTurns({ signal: waiting.signal });
  post({ from: me, asks: true });
  const timer = setInterval(check, checkMs);
  const checkWhenSeen = () => document.visibilityState === "visible" && check();
  document.addEventListener("visibilitychange", checkWhenSeen);
  return () => {
    hasLeft = true;
    fallSilent?.();
    waiting.abort();
    channel.close();
    clearInterval(timer);
    document.removeEventListener("visibilitychange", checkWhenSeen);
  };
}
