import { expect, test } from "vitest";
import { cutAt, cutAtWord } from "./shortened.ts";

test("what is seen as one character is left out whole", () => {
  for (const unit of ["x", "🙂", "👋🏽", "👨‍👩‍👧‍👦", "e\u0301", "नि", "🇦🇶"]) {
    for (let length = 0; length <= 30; length++) {
      const whole = Math.floor(length / unit.length);
      expect(cutAt(unit.repeat(31), length)).toBe(unit.repeat(whole));
    }
    expect(cutAt(unit.repeat(3), 3 * unit.length)).toBe(unit.repeat(3));
  }
  expect(cutAt(`a${"\u0301".repeat(1_000)}`, 60)).toBe("");
});

test("a text ends after a whole word where one ends in its second half", () => {
  expect(cutAtWord("Around Cape Horn", 16)).toBe("Around Cape Horn");
  expect(cutAtWord("Around Cape Horn", 14)).toBe("Around Cape");
  expect(cutAtWord("A circumnavigation", 10)).toBe("A circumna");
  expect(cutAtWord("Around 🙂🙂🙂🙂🙂🙂", 16)).toBe("Around 🙂🙂🙂🙂");
});
