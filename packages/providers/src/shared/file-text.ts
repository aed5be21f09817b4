import type { InputPart } from "@parley/core/ports";

type File = Extract<InputPart, { type: "file" }>;

const readable =
  /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml|yaml|x-yaml|toml|sql|javascript|typescript|x-sh|x-httpd-php|csv)\b)/i;

/** The words of a file that consists of words, under its name; null for anything else. */
export function fileText({ name, mediaType, data }: File): string | null {
  if (!readable.test(mediaType)) return null;
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return `<file name=${JSON.stringify(name)}>\n${new TextDecoder().decode(bytes)}\n</file>`;
}
