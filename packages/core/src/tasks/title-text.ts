import { cutAtWord } from "../shortened.ts";

const longest = 60;
const quotes = "\"'`“”„‟‘’‚‛«»‹›「」『』《》";
const marks = `${quotes}*_#>~\\s`;
const leading = new RegExp(`^[${marks}\\-]+`);
const trailing = new RegExp(`[${marks}.。．。،;:,]+$`);
const label = /^\s*(?:#+\s*)?(?:\*\*)?title(?:\*\*)?\s*:/i;
const emphasis = /(\*{1,3}|_{2,3}|`+)(\S(?:[^*_`]*\S)?)\1/g;
/** What would turn the text around it, or not be seen at all. */
const unseen = /[\u200b\u2028-\u202e\u2060-\u2069\ufeff\ufffd]/gu;
const blank = /[\s\p{Cc}]+/gu;

/** A title out of whatever a model says; null where it says none. */
export function cleanTitle(said: string): string | null {
  const lines = said
    .slice(0, 2_000)
    .toWellFormed()
    .split(/[\r\n\u2028\u2029]+/);
  for (const line of lines) {
    const words = line.replace(unseen, "").replace(label, "").replace(emphasis, "$2").replace(blank, " ");
    const title = shortened(words.replace(leading, "").replace(trailing, ""));
    if (/[\p{L}\p{N}]/u.test(title)) return title;
  }
  return null;
}

const shortened = (title: string) =>
  title.length <= longest ? title : `${cutAtWord(title, longest - 1).replace(trailing, "")}…`;
