import { factsOf, titleOf, writtenTime } from "../alerts/wording.ts";
import type { AlertNotice, Letter } from "../ports.ts";
import { escapeHtml } from "./escape-html.ts";

/** To an operator, in English: what is wrong, since when, and where to look. */
export function alertLetter(notice: AlertNotice, { to, link }: { to: string; link: string | null }): Letter {
  const title = titleOf(notice);
  const { text } = notice.alert;
  const facts = factsOf(notice).map(({ name, value }) => [name, value instanceof Date ? writtenTime(value) : value] as const);
  const plain = [text, facts.map(([name, value]) => `${name}: ${value}`).join("\n"), ...(link === null ? [] : [link])];
  return { to, subject: `[Parley] ${title}`, text: `${plain.join("\n\n")}\n`, html: html({ title, text, facts, link }) };
}

interface Content {
  title: string;
  text: string;
  facts: (readonly [name: string, value: string])[];
  link: string | null;
}

function html({ title, text, facts, link }: Content): string {
  const rows = facts.map(([name, value]) => `<tr><td style="${cell}">${name}</td><td>${escapeHtml(value)}</td></tr>`);
  const address = link === null ? "" : `<p><a href="${escapeHtml(link)}">${escapeHtml(link)}</a></p>`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>
<body style="margin:0;padding:24px;font-family:Arial,sans-serif;font-size:16px;line-height:1.5;color:#1f2328">
<p style="margin:0 0 16px"><strong>${escapeHtml(title)}</strong><br>${escapeHtml(text)}</p>
<table style="border-spacing:0">
${rows.join("\n")}
</table>
${address}
</body>
</html>
`;
}

const cell = "padding:0 16px 0 0;color:#59636e";
