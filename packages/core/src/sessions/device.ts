import Bowser from "bowser";

/** What a user agent says of itself; it is a guess, and only shown. */
export function describeDevice(userAgent: string | null): { browser: string | null; os: string | null } {
  if (!userAgent) return { browser: null, os: null };
  const { browser, os } = Bowser.parse(userAgent.slice(0, 500));
  const name = [browser.name, browser.version?.split(".")[0]].filter(Boolean).join(" ");
  return { browser: name || null, os: [os.name, os.versionName ?? os.version].filter(Boolean).join(" ") || null };
}
