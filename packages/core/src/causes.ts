const mostCauses = 5;
const word = /^[\w.-]{1,60}$/;

/** An error and what it came of, outermost first. A chain that bites its tail comes to an end. */
export function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause = error; cause instanceof Error && causes.length < mostCauses; cause = cause.cause) causes.push(cause);
  return causes;
}

/** Without its causes'. What is no word may quote what people wrote. */
export function ownCodeOf(error: Error): string | null {
  return "code" in error && typeof error.code === "string" && word.test(error.code) ? error.code : null;
}

/** Of an error only its code, or else its class: its message may quote what people wrote. */
export function codeOf(error: unknown): string {
  const causes = causesOf(error);
  const [code] = causes.map(ownCodeOf).filter((known) => known !== null);
  return code ?? causes.findLast(({ name }) => word.test(name))?.name ?? "error";
}
