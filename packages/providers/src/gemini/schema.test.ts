import { expect, test } from "vitest";
import { geminiSchema } from "./schema.ts";

const ofProperty = (property: unknown, rest: object = {}) =>
  geminiSchema({ type: "object", properties: { it: property }, ...rest })?.properties;

test("keeps what Gemini knows, however deep", () => {
  const address = {
    type: "object",
    additionalProperties: false,
    properties: { lines: { type: "array", minItems: 1, uniqueItems: true, items: { type: "string", maxLength: 40 } } },
    required: ["lines", "gone"],
  };
  expect(ofProperty({ ...address, $comment: "no", examples: [] })).toEqual({
    it: {
      type: "object",
      properties: { lines: { type: "array", minItems: 1, items: { type: "string", maxLength: 40 } } },
      required: ["lines"],
    },
  });
});

test("tells a property from a keyword of the same name", () => {
  const properties = { type: { type: "string" }, $schema: { type: "integer" }, additionalProperties: { type: "boolean" } };
  expect(geminiSchema({ type: "object", properties })).toEqual({ type: "object", properties });
});

test("is nothing where there is nothing to fill in", () => {
  expect(geminiSchema({ type: "object" })).toBeNull();
  expect(geminiSchema({ type: "object", properties: {}, additionalProperties: false })).toBeNull();
  expect(ofProperty({ type: "object", properties: {} })).toEqual({ it: { type: "object" } });
});

test("says null and alternatives in Gemini's words", () => {
  expect(ofProperty({ type: ["string", "null"] })).toEqual({ it: { type: "string", nullable: true } });
  expect(ofProperty({ type: ["string", "number"] })).toEqual({ it: { anyOf: [{ type: "string" }, { type: "number" }] } });
  expect(ofProperty({ anyOf: [{ type: "integer" }, { type: "null" }] })).toEqual({ it: { type: "integer", nullable: true } });
  expect(ofProperty({ oneOf: [{ type: "integer" }, { const: "all" }] })).toEqual({
    it: { anyOf: [{ type: "integer" }, { type: "string", enum: ["all"] }] },
  });
  expect(ofProperty({ allOf: [{ properties: { a: { type: "string" } } }, { required: ["a"] }] })).toEqual({
    it: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
  });
});

test("lists strings, and puts other values into words", () => {
  expect(ofProperty({ enum: ["a", "b", null] })).toEqual({ it: { type: "string", enum: ["a", "b"], nullable: true } });
  expect(ofProperty({ type: "integer", enum: [1, 2], description: "How many." })).toEqual({
    it: { type: "integer", description: "How many. One of [1,2]." },
  });
});

test("leaves out formats that Gemini refuses", () => {
  expect(ofProperty({ type: "string", format: "uri" })).toEqual({ it: { type: "string" } });
  expect(ofProperty({ type: "string", format: "date-time" })).toEqual({ it: { type: "string", format: "date-time" } });
});

test("follows references, and stops where a schema contains itself", () => {
  const node = { type: "object", properties: { name: { type: "string" }, next: { $ref: "#/$defs/node" } } };
  expect(ofProperty({ $ref: "#/$defs/node", description: "First" }, { $defs: { node } })).toEqual({
    it: { type: "object", properties: { name: { type: "string" }, next: { type: "object" } }, description: "First" },
  });
});
