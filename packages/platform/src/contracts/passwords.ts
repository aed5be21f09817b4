import type { Passwords } from "@parley/core/ports";
import { expect, test } from "vitest";

/** Of "Пароль 🐎", as this version makes them: what one runtime has stored, the other one takes. */
const stored = "$argon2id$v=19$m=19456,t=2,p=1$OE2Whz/dz63dlEL/1SuGfQ$TESH4EjNq0R9ezl+IYcxmdWkzH8/li6L+e4CF/1KReE";
const weaker = "$argon2id$v=19$m=4096,t=1,p=1$fofofBLJBPSnauq57t2q6g$C+J+o/xWtjp5sLmrn4rcKnVc9YLyXzqvALWTjMiKgsY";
const phrase = "Пароль 🐎";

/** What every hasher of passwords keeps. */
export function passwordsContract(open: () => Passwords) {
  test("knows a password again, and no other, whatever it is written in", async () => {
    const passwords = open();
    for (const password of ["Correct-horse-1", phrase, "x".repeat(1_000)]) {
      const hash = await passwords.hash(password);
      expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect(hash).not.toBe(await passwords.hash(password));
      expect(await passwords.verify(hash, password)).toBe(true);
      expect(await passwords.verify(hash, `${password} `)).toBe(false);
      expect(passwords.isOutdated(hash)).toBe(false);
    }
  });

  test("takes what another runtime has stored, with the parameters that it was made with", async () => {
    const passwords = open();
    for (const hash of [stored, weaker]) {
      expect(await passwords.verify(hash, phrase)).toBe(true);
      expect(await passwords.verify(hash, "Correct-horse-1")).toBe(false);
    }
    expect(passwords.isOutdated(stored)).toBe(false);
    expect(passwords.isOutdated(weaker)).toBe(true);
  });
}
