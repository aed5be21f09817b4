const block = '"""';

/** Makes messages of lines: a backslash at the end, three quotes around, or a paste go over several. */
export function createMessageBuilder() {
  let lines: string[] = [];
  let isBlock = false;

  const finished = () => {
    const message = lines.join("\n").trim();
    lines = [];
    isBlock = false;
    return message;
  };

  return {
    get isBegun() {
      return lines.length > 0 || isBlock;
    },
    /** The message that this line ends, or null while there is more to come. */
    add(line: string, { isPasted = false } = {}): string | null {
      if (isBlock) {
        const isEnd = line.trimEnd().endsWith(block);
        lines.push(isEnd ? line.trimEnd().slice(0, -block.length) : line);
        return isEnd ? finished() : null;
      }
      if (lines.length === 0 && line.startsWith(block)) {
        isBlock = true;
        const rest = line.slice(block.length);
        if (rest !== "") return this.add(rest);
        return null;
      }
      if (!isPasted && line.endsWith("\\")) {
        lines.push(line.slice(0, -1));
        return null;
      }
      lines.push(line);
      return isPasted ? null : finished();
    },
    /** What there is, at the end of the input or when it is given up. */
    end: finished,
  };
}
