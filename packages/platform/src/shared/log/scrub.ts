export type Scrub = (text: string) => string;

const removed = "[removed]";
/** Anything shorter would be found in words that mean something else. */
const shortest = 6;

/** What looks like a secret, whoever it belongs to. */
const forms: readonly [RegExp, string][] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${removed}`],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, removed],
  [/\bplk_\w+/g, removed],
  [/:\/\/[^\s/@"']+@/g, `://${removed}@`],
  [/\b((?:access_|refresh_|id_)?token|api_?key|key|password|secret|signature)=[^\s&"']+/gi, `$1=${removed}`],
];

/** Takes the given secrets out of a text, in the forms in which an address or JSON has them, and what looks like one. */
export function createScrub(secrets: readonly string[]): Scrub {
  const known = new Set(
    secrets
      .flatMap(withParts)
      .filter(({ length }) => length >= shortest)
      .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]),
  );
  const longestFirst = Array.from(known).sort((left, right) => right.length - left.length);
  return (text) => {
    const without = longestFirst.reduce((rest, secret) => rest.replaceAll(secret, removed), text);
    return forms.reduce((rest, [form, instead]) => rest.replace(form, instead), without);
  };
}

/** An address is quoted whole or in parts: its credentials, and the path of a hook. */
function withParts(secret: string): string[] {
  if (!URL.canParse(secret)) return [secret];
  const { username, password, pathname, search } = new URL(secret);
  return [
    secret,
    password,
    decoded(password),
    username.length > 20 ? username : "",
    pathname.length > 20 ? pathname : "",
    search,
  ];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
