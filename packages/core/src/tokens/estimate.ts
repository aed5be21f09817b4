import type { AnswerPart, GenerateRequest, InputPart, ModelMessage } from "../models/provider.ts";

/** Hundredths of a token: for the first character of a run of one kind, and for each one that continues it. */
interface Kind {
  first: number;
  within: number;
  /** Pairs of UTF-16 units, each from and to. */
  units: number[];
  /** Stands in a run of another kind without ending it. */
  isMark?: true;
}

const lower: Kind = { first: 50, within: 16, units: [0x61, 0x7a] };
const upper: Kind = { first: 35, within: 27, units: [0x41, 0x5a] };
const accented: Kind = { first: 90, within: 100, units: [0xc0, 0xd6, 0xd8, 0xf6, 0xf8, 0x24f, 0x1e00, 0x1eff] };
const vietnamese: Kind = { first: 50, within: 45, units: [0x1a0, 0x1a1, 0x1af, 0x1b0, 0x1ea0, 0x1ef9] };
const space: Kind = { first: 3, within: 4, units: [0x20, 0x20, 0xa0, 0xa0] };
const newline: Kind = { first: 80, within: 33, units: [0x09, 0x0a, 0x0d, 0x0d] };
const rare: Kind = { first: 90, within: 90, units: [0, 0xffff] };
const digits: Kind = { first: 130, within: 75, units: [0x30, 0x39] };
const punctuation: Kind = { first: 70, within: 20, units: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e] };
const signs: Kind = { first: 100, within: 100, units: [0xa1, 0xbf, 0xd7, 0xd7, 0xf7, 0xf7, 0x2000, 0x2e7f] };
const greek: Kind = { first: 90, within: 30, units: [0x370, 0x3ff, 0x1f00, 0x1fff] };
const cyrillic: Kind = { first: 120, within: 10, units: [0x400, 0x52f] };
const hebrew: Kind = { first: 140, within: 52, units: [0x5d0, 0x5ff, 0xfb1d, 0xfb4f] };
const hebrewPoints: Kind = { first: 130, within: 130, units: [0x591, 0x5c7], isMark: true };
const arabic: Kind = { first: 120, within: 17, units: [0x600, 0x77f, 0xfb50, 0xfdff, 0xfe70, 0xfefe] };
const arabicPoints: Kind = { first: 40, within: 40, units: [0x610, 0x61a, 0x64b, 0x65f], isMark: true };
const indicAndThai: Kind = { first: 45, within: 45, units: [0x900, 0xe7f] };
const han: Kind = { first: 75, within: 75, units: [0x2e80, 0x2fff, 0x3400, 0x9fff, 0xf900, 0xfaff] };
const kana: Kind = { first: 117, within: 37, units: [0x3041, 0x30ff, 0x31f0, 0x31ff, 0xff66, 0xff9d] };
const hangul: Kind = { first: 140, within: 39, units: [0x1100, 0x11ff, 0x3130, 0x318f, 0xac00, 0xd7ff] };
const widePunctuation: Kind = { first: 100, within: 100, units: [0x3000, 0x3040, 0xff00, 0xff65] };
const halvesOfPairs: Kind = { first: 90, within: 90, units: [0xd800, 0xdfff] };
/** Accents of their own, joiners, marks of direction, the choice of an emoji's look. */
const joiners: Kind = {
  first: 40,
  within: 40,
  units: [0x300, 0x36f, 0x200b, 0x200f, 0x202a, 0x202e, 0x2060, 0x2064, 0xfe00, 0xfe0f],
  isMark: true,
};

// Fitted to three tokenizers of today: docs/models.md, "How good the estimate is". Where two claim a unit, the later has it.
const latin = [lower, upper, accented, vietnamese];
const spaced = [space, newline, digits, punctuation, signs];
const lettered = [greek, cyrillic, hebrew, hebrewPoints, arabic, arabicPoints, indicAndThai, han, kana, hangul];
const kinds: readonly Kind[] = [rare, ...latin, ...spaced, ...lettered, widePunctuation, halvesOfPairs, joiners];
const indentation = 60;

const places = 32;
const start = places - 1;
const marks = new Uint8Array(places);
const placeOfUnit = new Uint8Array(0x1_0000);
const costs = new Uint8Array(places * places);
for (const [place, kind] of kinds.entries()) {
  const { units, isMark } = kind;
  marks[place] = isMark ? 1 : 0;
  for (let at = 0; at < units.length; at += 2) placeOfUnit.fill(place, units[at], (units[at + 1] ?? 0) + 1);
  for (let before = 0; before < places; before++) costs[before * places + place] = costAfter(kinds[before], kind);
}

function costAfter(before: Kind | undefined, kind: Kind): number {
  if (before === newline && kind === space) return indentation;
  const continues = before === kind || (kind !== upper && isLatin(kind) && isLatin(before));
  return continues ? kind.within : kind.first;
}

function isLatin(kind: Kind | undefined): boolean {
  return kind !== undefined && latin.includes(kind);
}

/**
 * Whole numbers, and a cost that depends on nothing but the kind before: so a part is never more than the whole, and the
 * whole at most one more than its parts. A vendor's own count replaces it as soon as there is one.
 */
export function estimateTokens(text: string): number {
  let hundredths = 0;
  let before = start;
  for (let at = 0; at < text.length; at++) {
    const place = placeOfUnit[text.charCodeAt(at)] ?? 0;
    hundredths += costs[before * places + place] ?? 0;
    if (marks[place] === 0) before = place;
  }
  return Math.ceil(hundredths / 100);
}

// Rules of thumb that vendors publish: docs/models.md names them.
const perMessage = 4;
const perImage = 1_600;
const perPage = 2_000;
const bytesOfPage = 100_000;
const beginning = 0x1_0000;
const forUsingTools = 300;

/** What a request will be counted as, before anybody has counted it. */
export function estimateRequest({ system, messages, tools }: Pick<GenerateRequest, "system" | "messages" | "tools">): number {
  let tokens = system ? perMessage + estimateTokens(system) : 0;
  for (const message of messages) tokens += perMessage + estimateMessage(message);
  if (tools.length > 0) tokens += forUsingTools;
  for (const tool of tools) tokens += perMessage + estimateJson(tool);
  return tokens;
}

function estimateMessage(message: ModelMessage): number {
  switch (message.role) {
    case "user":
      return sum(message.parts, estimateInput);
    case "assistant":
      return sum(message.parts, estimateAnswer);
    case "tool":
      return sum(message.results, ({ output }) => perMessage + estimateJson(output));
  }
}

function estimateInput(part: InputPart): number {
  switch (part.type) {
    case "text":
      return estimateTokens(part.text);
    case "image":
      return perImage;
    case "file":
      return perMessage + estimateFile(part.mediaType, part.data);
  }
}

function estimateFile(mediaType: string, data: string): number {
  const text = /^text\/|json|xml|yaml|javascript/.test(mediaType) ? beginningOf(data) : null;
  if (text !== null) return Math.ceil(estimateTokens(text) * Math.max(1, data.length / beginning));
  const bytes = (data.length * 3) / 4;
  return perPage * Math.max(1, Math.ceil(bytes / bytesOfPage));
}

/** Enough of a long file to tell what it is made of. Null where it is not base64. */
function beginningOf(data: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(data.slice(0, beginning)), (unit) => unit.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return null;
  }
}

function estimateAnswer(part: AnswerPart): number {
  return part.type === "tool-call"
    ? perMessage + estimateTokens(part.name) + estimateJson(part.input)
    : estimateTokens(part.text);
}

function estimateJson(value: unknown): number {
  return estimateTokens(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
}

function sum<T>(items: readonly T[], measure: (item: T) => number): number {
  return items.reduce((total, item) => total + measure(item), 0);
}
