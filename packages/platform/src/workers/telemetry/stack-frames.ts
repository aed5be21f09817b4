import type { StackFrame } from "@sentry/core";

const line = /^\s+at (?:(?:async )?(?<place>.+?) \()?(?<file>[^()\s]+?)(?::(?<row>\d+))?(?::(?<column>\d+))?\)?$/;

/** The stacks of V8, the innermost call last, as Sentry has them. */
export function stackFrames(stack: string): StackFrame[] {
  const frames = stack.split("\n").flatMap((text): StackFrame[] => {
    const { place, file, row, column } = line.exec(text)?.groups ?? {};
    if (file === undefined) return [];
    return [
      {
        function: place ?? "?",
        filename: file,
        ...(row !== undefined && { lineno: Number(row) }),
        ...(column !== undefined && { colno: Number(column) }),
        in_app: true,
      },
    ];
  });
  return frames.reverse();
}
