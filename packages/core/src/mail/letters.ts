import type { Letter } from "../ports.ts";
import { escapeHtml } from "./escape-html.ts";
import { ar } from "./letters/ar.ts";
import { en } from "./letters/en.ts";
import { he } from "./letters/he.ts";
import { ru } from "./letters/ru.ts";
import type { LetterText, LetterTexts } from "./letters/texts.ts";

export interface LetterDetails {
  to: string;
  name: string | null;
  link: string;
  /** A tag such as `he` or `he-IL`; English stands in for what we do not speak. */
  language: string | null;
  expiresInHours?: number;
}

type Kind = { [Key in keyof LetterTexts]: LetterTexts[Key] extends LetterText ? Key : never }[keyof LetterTexts];
type Values = Record<"name" | "device" | "time", string | null>;

interface Content {
  texts: LetterTexts;
  letter: LetterText;
  before: string[];
  after: string[];
  values: Values;
  link: string;
}

export function verifyEmailLetter(details: LetterDetails): Letter {
  return write("verifyEmail", details);
}

export function resetPasswordLetter(details: LetterDetails): Letter {
  return write("resetPassword", details);
}

export function inviteLetter(details: LetterDetails): Letter {
  return write("invite", details);
}

/** To the owner of an address that is registered again, where the caller must not learn that it is taken. */
export function accountExistsLetter(details: LetterDetails): Letter {
  return write("accountExists", details);
}

export function passwordChangedLetter(details: LetterDetails): Letter {
  return write("passwordChanged", details);
}

export function newSignInLetter(details: LetterDetails & { device: string | null }): Letter {
  return write("newSignIn", details, details.device);
}

function write(kind: Kind, details: LetterDetails, device: string | null = null): Letter {
  const texts = textsIn(details.language);
  const letter = texts[kind];
  const values = {
    name: presentable(details.name),
    device: presentable(device),
    time: details.expiresInHours === undefined ? null : duration(details.expiresInHours, texts.language),
  };
  const isKnown = (template: string) =>
    [...template.matchAll(placeholder)].every(([, key]) => values[key as keyof Values] !== null);
  const greeting = isKnown(texts.greetingWithName) ? texts.greetingWithName : texts.greeting;
  const before = [greeting, ...letter.before].filter(isKnown);
  const after = [texts.expiry, ...letter.after].filter(isKnown);
  const content = { texts, letter, before, after, values, link: webAddress(details.link) };
  return { to: details.to, subject: letter.subject, text: plainText(content), html: html(content) };
}

/** The address is alone on its line: it keeps its own direction, and nothing else is taken for a part of it. */
function plainText({ letter, before, after, values, link }: Content): string {
  const paragraph = (template: string) => fill(template, values, isolate);
  return `${[...before.map(paragraph), `${letter.action}:\n${link}`, ...after.map(paragraph)].join("\n\n")}\n`;
}

/** Several mail programs drop `html` and `body` with their attributes: the direction is said again inside. */
function html({ texts, letter, before, after, values, link }: Content): string {
  const paragraph = (template: string) =>
    `<p style="margin:0 0 16px">${fill(escapeHtml(template), values, (value) => `<span dir="auto">${escapeHtml(value)}</span>`)}</p>`;
  const locale = `lang="${texts.language}" dir="${texts.direction}"`;
  const href = escapeHtml(link);
  return `<!doctype html>
<html ${locale}>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(letter.subject)}</title></head>
<body style="margin:0;padding:24px;background:#ffffff">
<div ${locale} style="max-width:520px;margin:0 auto;font-family:Arial,sans-serif;font-size:16px;line-height:1.5;color:#1f2328">
${before.map(paragraph).join("\n")}
<p style="margin:0 0 16px"><a href="${href}" style="${buttonStyle}">${escapeHtml(letter.action)}</a></p>
${after.map(paragraph).join("\n")}
<p style="margin:24px 0 0;font-size:13px;color:#59636e">${escapeHtml(texts.copyLink)}<br>
<a dir="ltr" href="${href}" style="color:#1a56db;word-break:break-all">${href}</a></p>
</div>
</body>
</html>
`;
}

const buttonStyle =
  "display:inline-block;padding:12px 20px;border-radius:6px;background:#1a56db;color:#ffffff;text-decoration:none";

/** `iw` is the old tag of Hebrew, which some systems still give. */
const languages = new Map([en, he, ar, ru].map((texts) => [texts.language, texts])).set("iw", he);

function textsIn(language: string | null): LetterTexts {
  return languages.get(language?.toLowerCase().split(/[-_]/)[0] ?? "") ?? en;
}

/** As a browser reads it: no space, quote or line break is left. The error does not tell the link, which may hold a token. */
function webAddress(link: string): string {
  const address = URL.canParse(link) ? new URL(link) : null;
  if (address?.protocol !== "https:" && address?.protocol !== "http:") {
    throw new TypeError("A letter links to http and https addresses only");
  }
  return address.href;
}

const longest = 60;
const steersText = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;
/** What mail programs turn into a link. */
const looksLikeAddress = /:\/\/|@|[.\u3002\uff0e\uff61]\p{L}{2,}/u;

/** A stranger can register somebody else's address: a name that is an advertisement is left out. */
function presentable(value: string | null): string | null {
  const cleaned = (value ?? "").replace(steersText, " ").trim();
  return cleaned === "" || cleaned.length > longest || looksLikeAddress.test(cleaned) ? null : cleaned;
}

function duration(hours: number, language: string): string {
  const [count, unit] =
    hours < 2 ? [hours * 60, "minute"] : hours >= 48 && hours % 24 === 0 ? [hours / 24, "day"] : [hours, "hour"];
  const style = { style: "unit", unit, unitDisplay: "long", numberingSystem: "latn", maximumFractionDigits: 0 } as const;
  return new Intl.NumberFormat(language, style).format(count);
}

const placeholder = /\{(name|device|time)\}/g;

function fill(template: string, values: Values, foreign: (value: string) => string): string {
  return template.replace(placeholder, (_, key: keyof Values) =>
    key === "time" ? (values.time ?? "") : foreign(values[key] ?? ""),
  );
}

/** A name of the other direction must not turn the punctuation around it. */
function isolate(value: string): string {
  return `\u2068${value}\u2069`;
}
