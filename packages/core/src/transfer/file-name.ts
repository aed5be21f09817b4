import { cutAt } from "../shortened.ts";

const maxLength = 80;
/** Names that Windows keeps for itself, whatever follows their first dot. */
const reserved = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)/i;

/** A name that every file system takes: of the title, in its own script. */
export function fileName(title: string, part: number, extension: string): string {
  const end = `${part > 1 ? `-${part}` : ""}.${extension}`;
  const plain = title
    .normalize("NFC")
    .replace(/[\\/:*?"<>|\p{C}\p{Z}\s]+/gu, " ")
    .replace(/^[\s.~-]+/, "");
  const name = reserved.test(plain) ? `_${plain}` : plain;
  return `${cutAt(name, maxLength - end.length).replace(/[\s.]+$/, "") || "conversation"}${end}`;
}
