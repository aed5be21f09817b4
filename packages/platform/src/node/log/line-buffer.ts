/** Characters. A full buffer is written at once, any other after a moment. */
const fullLength = 16_384;
const momentMs = 100;

export interface LineBuffer {
  write(line: string): void;
  /** Whatever waits is handed on now. */
  flush(): void;
}

/** Lines go out together: most of what a line costs is the writing. */
export function lineBuffer(write: (lines: string) => void): LineBuffer {
  let waiting = "";
  let timer: NodeJS.Timeout | undefined;

  function flush() {
    clearTimeout(timer);
    timer = undefined;
    const lines = waiting;
    waiting = "";
    if (lines !== "") write(lines);
  }

  return {
    write(line) {
      waiting += line;
      if (waiting.length >= fullLength) flush();
      else timer ??= setTimeout(flush, momentMs).unref();
    },
    flush,
  };
}
