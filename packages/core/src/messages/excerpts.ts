import type { FoundMessage } from "@parley/contract";

type Excerpt = FoundMessage["excerpt"];

export interface Word {
  from: number;
  to: number;
  form: string;
}

const excerptLength = 200;
/** What an excerpt shows before the first word that was found. */
const leadLength = 60;
/** How far a cut moves so as not to go through a word. */
const slack = 30;
/** What is longer is no word of a language. */
const longestWord = 100;

const arabic = /[\u0600-\u06ff]/;
const hebrew = /[\u0590-\u05ff]/;
const marks = /[\u0591-\u05bd\u05bf-\u05c7\u0640\u064b-\u065f\u0670]/g;
const letters: Record<string, string> = { أ: "ا", إ: "ا", آ: "ا", ٱ: "ا", ى: "ي", ئ: "ي", ؤ: "و", ة: "ه", ё: "е" };
/** What belongs to the character before it. */
const continues = /^(?:\p{M}|\p{Emoji_Modifier}|\u200d|[\udc00-\udfff])/u;

/** The words of a text as the search takes them: marks and what has no width belong to a word, punctuation does not. */
function* wordsOf(text: string): Generator<Word> {
  for (const match of text.matchAll(/[\p{L}\p{N}][\p{L}\p{N}\p{M}\u200b-\u200f]*/gu)) {
    const [word] = match;
    if (word.length <= longestWord) yield { from: match.index, to: match.index + word.length, form: word.toLowerCase() };
  }
}

const plain = (word: string) => word.replace(marks, "").replace(/[أإآٱىئؤةё]/g, (letter) => letters[letter] ?? letter);

/** Rules words out without asking the stemmer: it changes ends, and the beginnings only of Arabic and Hebrew words. */
function mayBeFormOf(lexeme: string): (word: string) => boolean {
  const stem = plain(lexeme);
  if (hebrew.test(stem)) return (word) => word.endsWith(stem);
  if (arabic.test(stem)) return (word) => word.includes(stem.slice(0, 2));
  const first = String.fromCodePoint(stem.codePointAt(0) ?? 0);
  // A Hebrew or Arabic letter may be written onto a word of another script.
  return (word) => word.length >= stem.length - 1 && (word.startsWith(first) || hebrew.test(word) || arabic.test(word));
}

/** The words of a text that may be forms of what was looked for. */
export function possibleWords(text: string, lexemes: readonly string[]): Word[] {
  const tests = lexemes.map(mayBeFormOf);
  const seen = new Map<string, boolean>();
  const isPossible = (form: string) => {
    const known = seen.get(form);
    if (known !== undefined) return known;
    const word = plain(form);
    const may = tests.some((mayBe) => mayBe(word));
    seen.set(form, may);
    return may;
  };
  const possible: Word[] = [];
  for (const word of wordsOf(text)) if (isPossible(word.form)) possible.push(word);
  return possible;
}

/** Around the first of the words that were found; null where there is none, or where the rest of the text has to be read for it. */
export function excerptAround(text: string, found: readonly Word[], isCut: boolean): Excerpt | null {
  const [first] = found;
  if (!first || (isCut && first.from + excerptLength > text.length)) return null;
  return cut(text, { first, found, isCut });
}

/** The beginning of a text in which nothing is to be shown. */
export function excerptFromStart(text: string, isCut: boolean): Excerpt {
  return cut(text, { first: { from: 0, to: 0 }, found: [], isCut });
}

function cut(
  text: string,
  { first, found, isCut }: { first: { from: number; to: number }; found: readonly Word[]; isCut: boolean },
): Excerpt {
  const start = cutBefore(text, first.from);
  const end = cutAfter(text, Math.max(start + excerptLength, first.to), first.to);
  const lead = start > 0 ? "…" : "";
  const trail = end < text.length || isCut ? "…" : "";
  const shift = lead.length - start;
  const matches = found.flatMap(({ from, to }) => (to <= end ? [{ from: from + shift, to: to + shift }] : []));
  return { text: lead + text.slice(start, end) + trail, matches };
}

/** The place to begin at, so that a word is read with what leads to it. */
function cutBefore(text: string, wordAt: number): number {
  if (wordAt <= leadLength) return 0;
  const start = wordAt - leadLength;
  const space = /\s/.exec(text.slice(start - 1, start + slack))?.index;
  let at = space === undefined ? start : start + space;
  while (at < wordAt && isInside(text, at)) at++;
  return at;
}

/** The place to end at, not before the word that was found ends. */
function cutAfter(text: string, wanted: number, wordEnd: number): number {
  if (wanted >= text.length) return text.length;
  const least = Math.max(wordEnd, wanted - slack);
  const space = /\s\S*$/.exec(text.slice(least, wanted + 1))?.index;
  let at = space === undefined ? wanted : least + space;
  while (at > wordEnd && isInside(text, at)) at--;
  return at;
}

/** Neither a surrogate pair nor a character with its marks is cut in two. */
function isInside(text: string, at: number): boolean {
  return text[at - 1] === "\u200d" || continues.test(text.slice(at, at + 2));
}
