const runs = "run:";

export const runTopic = (runId: string) => `${runs}${runId}`;
export const userTopic = (userId: string) => `user:${userId}`;

/** The writer of a run numbers its events. To a person everybody tells things. */
export const hasOneWriter = (topic: string) => topic.startsWith(runs);
