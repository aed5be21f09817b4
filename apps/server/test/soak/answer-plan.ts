import type { Random } from "./random.ts";

export interface Piece {
  type: "text" | "reasoning";
  text: string;
}

export interface PlannedAttempt {
  model: string;
  /** As a vendor may cut them: anywhere, inside a surrogate pair too. */
  pieces: Piece[];
  ending: "end" | "fail" | "cut";
}

/** What a model will say to one question, and whom it belongs to. */
export interface AnswerPlan {
  question: string;
  /** In the question and all over the answer: nobody but its owner may ever read it. */
  mark: string;
  attempts: [PlannedAttempt, ...PlannedAttempt[]];
  /** The request asks for another model should this one break off. */
  mayFailOver: boolean;
}

interface Commission {
  key: string;
  owner: string;
  /** Who may be asked first, and instead. */
  models: readonly [string, string];
}

const words: [string, ...string[]] = [
  "an answer ",
  "“quoted” \\ and\n",
  "Привет, мир. ",
  "שלום עולם ",
  "مرحبا بالعالم ",
  "你好，世界。",
  "🙂",
  "👩‍👩‍👧‍👦 ",
  "🇨🇭🇯🇵",
  "e\u0301\u0327 ",
  "\u2028",
  "\0",
  '{"json":1} ',
  "\ud83d",
  "𝕏𐍈 ",
];

export function planAnswer(random: Random, { key, owner, models }: Commission): AnswerPlan {
  const mark = `mark-${key}-${owner}-${random.below(1e9).toString(36)}`;
  const fails = random.chance(0.35);
  const hasOther = fails && random.chance(0.7);
  const attempt = (model: string, ending: PlannedAttempt["ending"]): PlannedAttempt => ({
    model,
    // A model that fails at once is replaced without the reader's notice.
    pieces: ending === "fail" && random.chance(0.3) ? [] : cut(random, write(random, mark)),
    ending,
  });
  const breaking = random.chance(0.3) ? "cut" : "fail";
  const attempts: AnswerPlan["attempts"] = [attempt(models[0], fails ? breaking : "end")];
  if (hasOther) attempts.push(attempt(models[1], random.chance(0.85) ? "end" : "fail"));
  return {
    question: `Say it, ${mark}: ${random.pick(words).toWellFormed().replaceAll("\0", "")}`,
    mark,
    attempts,
    mayFailOver: hasOther && random.chance(0.7),
  };
}

function write(random: Random, mark: string): { type: Piece["type"]; text: string }[] {
  const parts: { type: Piece["type"]; text: string }[] = [];
  if (random.chance(0.4)) parts.push({ type: "reasoning", text: prose(random, mark, random.between(1, 20)) });
  const length = random.chance(0.03) ? 6_000 : random.between(1, 80);
  parts.push({ type: "text", text: prose(random, mark, length) });
  return parts;
}

function prose(random: Random, mark: string, length: number): string {
  let text = `${mark} `;
  for (let count = 0; count < length; count++) text += random.chance(0.05) ? `${mark} ` : random.pick(words);
  return text;
}

function cut(random: Random, parts: readonly Piece[]): Piece[] {
  const pieces: Piece[] = [];
  const fewest = random.pick([2, 8, 40]);
  for (const { type, text } of parts) {
    const longest = Math.max(12, Math.ceil(text.length / fewest));
    for (let at = 0; at < text.length; ) {
      const length = random.between(1, longest);
      pieces.push({ type, text: text.slice(at, at + length) });
      at += length;
    }
  }
  return pieces;
}

/** All of one kind that these pieces say, as it is stored. */
export function storedForm(pieces: readonly Piece[], type: Piece["type"]): string {
  const text = pieces.map((piece) => (piece.type === type ? piece.text : "")).join("");
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}

/** Whether a text that broke off somewhere can be the beginning of this one: half a pair at its end became one character. */
export function isBeginning(text: string, whole: string): boolean {
  return whole.startsWith(text) || (text.endsWith("\ufffd") && whole.startsWith(text.slice(0, -1)));
}
