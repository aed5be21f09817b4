/** Throws one line. */
export function parseJson(content: string): unknown {
  try {
    return JSON.parse(content.replace(/^\ufeff/, ""));
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll(/\s+/g, " ") : "it cannot be read";
    throw new Error(`it is not JSON: ${reason}`);
  }
}
