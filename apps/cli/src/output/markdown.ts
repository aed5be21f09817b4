const on = { bold: "\u001b[1m", italic: "\u001b[3m", code: "\u001b[36m", dim: "\u001b[2m", heading: "\u001b[1;4m" };
const off = { bold: "\u001b[22m", italic: "\u001b[23m", code: "\u001b[39m", dim: "\u001b[22m", heading: "\u001b[22;24m" };
type Style = keyof typeof on;

/** Markdown as a terminal shows it, while it arrives: only marks are held back, until it is clear what they mean. */
export function markdownWriter(write: (text: string) => void) {
  const open: Style[] = [];
  let held = "";
  let isLineStart = true;
  let isFence = false;
  /** The character before, to tell a mark from an asterisk between spaces. */
  let before = "\n";

  function set(style: Style, isOn: boolean) {
    if (isOn) open.push(style);
    else open.splice(open.indexOf(style), 1);
    write(isOn ? on[style] : off[style] + open.map((each) => on[each]).join(""));
  }

  function endLine() {
    // A mark that was never closed was none of ours to spread over the rest.
    for (const style of [...open]) if (!isFence) set(style, false);
    write("\n");
    isLineStart = true;
    before = "\n";
  }

  /** What may still become a mark of a line waits for the rest of it. */
  function lineStart(text: string, isLast: boolean): number {
    const fence = /^ {0,3}(```|~~~)/.exec(text);
    const end = text.indexOf("\n");
    if (fence) {
      if (end === -1 && !isLast) return 0;
      const used = end === -1 ? text.length : end + 1;
      if (isFence) set("code", false);
      isFence = !isFence;
      write(`${on.dim}${text.slice(0, used).trimEnd()}${off.dim}\n`);
      if (isFence) set("code", true);
      return used;
    }
    if (!isLast && /^( {0,3}(`{0,2}|~{0,2}|#{1,6})?|\s*[-*+]?)$/.test(text)) return 0;
    isLineStart = false;
    if (isFence) return -1;
    const heading = /^#{1,6} +/.exec(text);
    if (heading) {
      set("heading", true);
      return heading[0].length;
    }
    const bullet = /^(\s*)[-*+] +/.exec(text);
    if (bullet) {
      write(`${bullet[1]}• `);
      return bullet[0].length;
    }
    return -1;
  }

  function inline(text: string, isLast: boolean): number {
    const mark = /^(\*\*|__|\*|_|`)/.exec(text)?.[0];
    if (!mark || isFence) return -1;
    if (text.length < 3 && text.length <= mark.length && !isLast && text.indexOf("\n") === -1) return 0;
    const style: Style = mark === "`" ? "code" : mark.length === 2 ? "bold" : "italic";
    if (open.includes("code") && style !== "code") return -1;
    const next = text[mark.length] ?? "\n";
    const isOpen = open.includes(style);
    const isWord = /[\p{L}\p{N}]/u;
    if (isOpen ? /\s/.test(before) : /\s/.test(next)) return -1;
    if (mark.startsWith("_") && isWord.test(isOpen ? next : before)) return -1;
    set(style, !isOpen);
    return mark.length;
  }

  function advance(isLast: boolean) {
    while (held !== "") {
      if (isLineStart) {
        const used = lineStart(held, isLast);
        if (used === 0) return;
        if (used > 0) held = held.slice(used);
        continue;
      }
      const plain = /^[^\n*_`]+/.exec(held)?.[0];
      if (plain) {
        write(plain);
        before = plain.at(-1) ?? before;
        held = held.slice(plain.length);
      } else if (held.startsWith("\n")) {
        held = held.slice(1);
        endLine();
      } else {
        const used = inline(held, isLast);
        if (used === 0) return;
        if (used < 0) {
          write(held.slice(0, 1));
          before = held.slice(0, 1);
        }
        held = held.slice(Math.max(used, 1));
      }
    }
  }

  return {
    add(text: string) {
      held += text;
      advance(false);
    },
    end() {
      advance(true);
      isFence = false;
      for (const style of [...open]) set(style, false);
    },
  };
}
