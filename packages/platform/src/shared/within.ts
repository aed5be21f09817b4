/** Waits for some work, but no longer than this. */
export async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  await race(milliseconds, work, () => {});
}

/** What some work answers. It has failed when it takes longer than this. */
export function answerWithin<Answer>(milliseconds: number, work: Promise<Answer>): Promise<Answer> {
  return race(milliseconds, work, () => {
    throw new Error(`There was no answer within ${milliseconds / 1_000} seconds`);
  });
}

async function race<Answer>(milliseconds: number, work: Promise<Answer>, enough: () => Answer): Promise<Answer> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  }).then(enough);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
