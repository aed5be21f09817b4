const sequence = (codes: string) => `\u001b[${codes}m`;

/** Colours only where somebody sees them: https://no-color.org */
export function hasColour(stream: NodeJS.WriteStream = process.stdout): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
}

const styled =
  (on: string, off: string) =>
  (text: string, stream: NodeJS.WriteStream = process.stdout): string =>
    hasColour(stream) ? `${sequence(on)}${text}${sequence(off)}` : text;

export const bold = styled("1", "22");
export const dim = styled("2", "22");
export const cyan = styled("36", "39");
export const red = styled("31", "39");
export const yellow = styled("33", "39");
