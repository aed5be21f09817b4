import { describe, expect, test } from "vitest";
import { ar } from "./letters/ar.ts";
import { en } from "./letters/en.ts";
import { he } from "./letters/he.ts";
import { ru } from "./letters/ru.ts";
import {
  accountExistsLetter,
  inviteLetter,
  type LetterDetails,
  newSignInLetter,
  passwordChangedLetter,
  resetPasswordLetter,
  verifyEmailLetter,
} from "./letters.ts";

const details: LetterDetails = {
  to: "dana@example.com",
  name: "Dana",
  link: "https://chat.example.com/verify?token=abc&next=%2F",
  language: "en",
  expiresInHours: 24,
};
const letters = {
  verifyEmail: verifyEmailLetter,
  resetPassword: resetPasswordLetter,
  invite: inviteLetter,
  accountExists: accountExistsLetter,
  passwordChanged: passwordChangedLetter,
  newSignIn: (given: LetterDetails) => newSignInLetter({ ...given, device: "Firefox on Linux" }),
};
const kinds = Object.keys(letters) as (keyof typeof letters)[];
const all = [en, he, ar, ru].flatMap((texts) => kinds.map((kind) => [texts.language, kind, texts] as const));

test("an English letter reads well as plain text", () => {
  expect(verifyEmailLetter(details)).toMatchObject({
    to: "dana@example.com",
    subject: "Confirm your e-mail address",
    text: `Hello \u2068Dana\u2069,

Please confirm that this e-mail address is yours, so that it can be used with your Parley account.

Confirm address:
https://chat.example.com/verify?token=abc&next=%2F

The link works once and is valid for 24 hours.

If you did not create an account, you can ignore this message.
`,
  });
});

describe.each(all)("%s, %s", (language, kind, texts) => {
  const letter = letters[kind]({ ...details, language });

  test("is written in its language and leaves no gap", () => {
    expect(letter.subject).toBe(texts[kind].subject);
    expect(letter.html).toContain(`<html lang="${language}" dir="${texts.direction}">`);
    expect(letter.html).toContain(`<div lang="${language}" dir="${texts.direction}"`);
    for (const part of [letter.subject, letter.text, letter.html.replace(/style="[^"]*"/g, "")]) {
      expect(part).not.toMatch(/[{}]|undefined|null/);
    }
    for (const part of [letter.text, letter.html]) expect(part).toContain("Dana");
  });

  test("shows the link on a line of its own, as a button and to be copied", () => {
    expect(letter.text.split("\n")).toContain(details.link);
    const escaped = details.link.replace("&", "&amp;");
    expect(letter.html.split(`href="${escaped}"`)).toHaveLength(3);
    expect(letter.html).toMatch(new RegExp(`<a dir="ltr" [^>]*>${escaped.replace(/[?.]/g, "\\$&")}</a>`));
  });

  test("loads nothing from elsewhere", () => {
    expect(letter.html).not.toMatch(/<(img|script|link|iframe|style)|url\(|src=/i);
  });

  test("has plain text that runs in the language's direction", () => {
    for (const line of [letter.subject, ...letter.text.split("\n")]) {
      const first = line.match(/\p{L}/u)?.[0];
      if (!first || line === details.link) continue;
      expect(/[\p{Script=Hebrew}\p{Script=Arabic}]/u.test(first), line).toBe(texts.direction === "rtl");
    }
  });
});

test.each([
  ["he-IL", "he"],
  ["HE_il", "he"],
  ["iw", "he"],
  ["ar-EG", "ar"],
  ["ru-RU", "ru"],
  ["en-GB", "en"],
  ["fr", "en"],
  ["constructor", "en"],
  ["", "en"],
  [null, "en"],
])("a person whose language is %s is written to in %s", (language, written) => {
  expect(inviteLetter({ ...details, language }).html).toContain(`<html lang="${written}"`);
});

test.each([
  ["en", 0.5, "30 minutes"],
  ["en", 1, "60 minutes"],
  ["en", 24, "24 hours"],
  ["en", 168, "7 days"],
  ["he", 2, "שעתיים"],
  ["he", 48, "יומיים"],
  ["he", 72, "3 ימים"],
  ["ar", 2, "ساعتان"],
  ["ar", 24, "24 ساعة"],
  ["ar", 168, "7 أيام"],
  ["ru", 3, "3 часа"],
  ["ru", 24, "24 часа"],
  ["ru", 168, "7 дней"],
])("in %s, %d hours are %s", (language, expiresInHours, words) => {
  const letter = resetPasswordLetter({ ...details, language, expiresInHours });
  expect(letter.text).toContain(words);
  expect(letter.html).toContain(words);
});

test("a link that does not expire is not said to", () => {
  const { expiresInHours: _, ...rest } = details;
  expect(passwordChangedLetter(rest).text).not.toContain("valid for");
});

test("what is not known is left out", () => {
  const letter = newSignInLetter({ ...details, name: null, device: null });
  expect(letter.text).toMatch(/^Hello,\n/);
  expect(letter.text).not.toContain("Device");
  expect(newSignInLetter({ ...details, device: "Firefox on Linux" }).text).toContain("Device: \u2068Firefox on Linux\u2069");
});

test("html in a name is shown, not obeyed", () => {
  const letter = verifyEmailLetter({ ...details, name: `<b onclick="a()">O'Brien & $& {time}` });
  expect(letter.html).toContain('<span dir="auto">&lt;b onclick=&quot;a()&quot;&gt;O&#39;Brien &amp; $&amp; {time}</span>');
  expect(letter.html).not.toContain("<b ");
});

test("a name cannot add lines or turn the direction of what follows", () => {
  const letter = verifyEmailLetter({ ...details, language: "he", name: "a\r\nBcc: b\u2069\u202Ec\u2028d\ud800" });
  expect(letter.text).toContain("\u2068a Bcc: b c d\u2069");
  expect(letter.subject).toBe(he.verifyEmail.subject);
  for (const part of [letter.text, letter.html]) expect(part).not.toMatch(/[\u202e\u2028\r]/);
});

test.each(["Prize at evil.example", "https://evil", "t.me", "evil\u3002com", "a@b", "x".repeat(61), " \n "])(
  "a stranger cannot advertise through a name: %j",
  (name) => {
    const letter = verifyEmailLetter({ ...details, name });
    expect(letter.text).toMatch(/^Hello,\n/);
    expect(letter.html).toContain(">Hello,</p>");
  },
);

test.each(["J. R. R. Tolkien", "Sammy Davis Jr.", "דנה לוי", "Анна-Мария", "محمد", "李小龍", "👩‍💻 Zoë"])(
  "%s is greeted by name",
  (name) => {
    expect(verifyEmailLetter({ ...details, name }).text).toContain(`Hello \u2068${name}\u2069,`);
  },
);

test.each(["javascript:alert(1)", "data:text/html,x", "ftp://example.com", "/verify", ""])("%j is refused as a link", (link) => {
  expect(() => verifyEmailLetter({ ...details, link })).toThrow("http and https addresses only");
});

test("a link cannot leave its attribute", () => {
  const letter = verifyEmailLetter({ ...details, link: `https://example.com/"><script>x</script>?a='b"\r\nc` });
  expect(letter.html).not.toMatch(/<script|a='b/);
  expect(letter.text).toContain("https://example.com/%22%3E%3Cscript%3Ex%3C/script%3E?a=%27b%22c");
});
