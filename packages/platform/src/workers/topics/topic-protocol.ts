import type { Sleeper } from "../runtime/sleepers.ts";

/** What the writers of a topic hand to its object. */
export interface TopicBatch {
  entries: AppendedEntry[];
  passing: Passing[];
  /** Nothing will come after these. */
  isFinished: boolean;
}

/** Told to whoever listens, and kept nowhere. */
export interface Passing {
  id: string;
  /** By the clock of whoever said it. */
  at: number;
  event: string;
}

export interface AppendedEntry {
  /** Null where the object numbers. */
  seq: number | null;
  /** A reader's id of it; where the object numbers, the writer's, which tells a repetition. */
  id: string;
  event: string;
}

export interface TopicQuestion {
  after: number;
  /** Where the question before this one ended; null at the first. */
  passed: number | null;
  /** When the reader came: what passed before is not for it. */
  since: number;
  waitMs: number;
}

export type TopicAnswer =
  /** The topic no longer has, or never had, what comes after. */
  | { isGap: true }
  | {
      isGap: false;
      entries: { seq: number; id: string; event: string }[];
      passing: Passing[];
      passed: number;
      /** With these entries, everything has been handed over. */
      isOver: boolean;
    };

/** Where a reader stands. */
export interface TopicPosition {
  after: number;
  /** As of the last answer; null for whoever does not know it any more. */
  passed: number | null;
}

/** Of one who would rather be woken than ask. */
export interface TopicSleeper extends TopicPosition {
  sleeper: Sleeper;
}

export interface TopicMethods {
  append(batch: TopicBatch): void;
  poll(question: TopicQuestion): Promise<TopicAnswer>;
  /** Wakes this socket when something comes. False when something has come since: that has to be heard first. */
  sleep(sleeper: TopicSleeper): boolean;
  leave(socket: string): void;
  head(): number;
}
