// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** They turn around what follows them, to the end of the line. */
const overrides = /[\u202a-\u202e\u2066-\u2069]/g;

/** What others wrote, so that it cannot steer the terminal: a title could clear the screen, or write what looks like us. */
export function forTerminal(text: string): string {
  return text.replace(controls, "");
}

/** As one line of a list. */
export function oneLine(text: string): string {
  return forTerminal(text.replace(/\s+/g, " ")).replace(overrides, "").trim();
}
