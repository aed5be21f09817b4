/** One spelling for names that people would take for the same. */
export function fold(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/** The same keys give other code points on other systems. */
export function normalizePassword(password: string): string {
  return password.normalize("NFKC");
}

const commonWords =
  "password|passwort|welcome|qwerty|qwertz|azerty|admin|administrator|letmein|iloveyou|monkey|dragon|football|baseball|master|login|princess|sunshine|shadow|superman|batman|trustno|hello|freedom|whatever|starwars|summer|winter|spring|autumn|january|october|changeme|secret|test|guest|root|user|default|access|passw|parley|abcd|abc|zxcvbn|asdf|asdfgh|charlie|michael|jordan|computer|internet|google|company";
const common = new RegExp(`^(?:${commonWords})+$`);
const disguises: Record<string, string> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
};

/** A common word in the usual disguise, with digits and signs around it, is the first thing that is tried. */
export function isCommonPassword(password: string): boolean {
  const word = password.toLowerCase().replace(/^[^\p{L}]+|[^\p{L}]+$/gu, "");
  const plain = word.replace(/[013457@$!]/g, (sign) => disguises[sign] ?? sign);
  const undisguised = password
    .toLowerCase()
    .replace(/[013457@$!]/g, (sign) => disguises[sign] ?? sign)
    .replace(/[^\p{L}]/gu, "");
  return [word, plain, undisguised].some((candidate) => common.test(candidate));
}
