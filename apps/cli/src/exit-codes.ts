/** What scripts may rely on. */
export const exitCodes = {
  ok: 0,
  /** The server has said no, or the answer has failed before its first word. */
  refused: 1,
  usage: 2,
  notSignedIn: 3,
  notReached: 4,
  /** What was printed is the beginning of an answer: it was stopped elsewhere, or broke off. */
  cutShort: 5,
  interrupted: 130,
  leftByReader: 141,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitMeanings: Record<ExitCode, string> = {
  0: "done",
  1: "refused, or failed",
  2: "wrong usage",
  3: "not signed in",
  4: "the server was not reached",
  5: "the answer was cut short",
  130: "interrupted by Ctrl-C",
  141: "the reader of the output has left",
};
