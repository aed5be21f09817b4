type Schema = Record<string, unknown>;

/** What Gemini's Schema has words for besides what is translated below; it refuses a request with any other. */
const kept = [
  "title",
  "description",
  "default",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "pattern",
  "propertyOrdering",
];

const formats = ["enum", "date-time", "float", "double", "int32", "int64"];

/** JSON Schema in the subset of OpenAPI that Gemini reads. Null where there is nothing to fill in: it refuses an empty object. */
export function geminiSchema(schema: Schema): Schema | null {
  const read = translate(schema, { root: schema, within: [] });
  return Object.keys(asSchema(read.properties)).length > 0 ? { ...read, type: "object" } : null;
}

interface Place {
  root: Schema;
  /** The references that lead here: a schema may contain itself, and Gemini has no word for that. */
  within: string[];
}

function translate(value: unknown, place: Place): Schema {
  const schema = asSchema(value);
  if (typeof schema.$ref === "string") return follow(schema, schema.$ref, place);
  const parts = schemas(schema.allOf);
  if (parts.length > 0) return translate(parts.reduce(merge, { ...schema, allOf: undefined }), place);

  const translated: Schema = {};
  for (const name of kept) if (schema[name] !== undefined) translated[name] = schema[name];
  if (typeof schema.format === "string" && formats.includes(schema.format)) translated.format = schema.format;
  Object.assign(translated, typesOf(schema), valuesOf(schema), propertiesOf(schema, place), alternativesOf(schema, place));
  if (schema.items !== undefined || translated.type === "array") translated.items = translate(schema.items, place);
  return translated;
}

function follow(schema: Schema, reference: string, { root, within }: Place): Schema {
  const described = typeof schema.description === "string" ? { description: schema.description } : {};
  if (within.includes(reference) || !reference.startsWith("#")) return { type: "object", ...described };
  let target: unknown = root;
  for (const step of reference.split("/").slice(1)) target = asSchema(target)[step.replaceAll("~1", "/").replaceAll("~0", "~")];
  return { ...translate(target, { root, within: [...within, reference] }), ...described };
}

/** Gemini knows one type a value; that it may be null is a word of its own. */
function typesOf({ type, nullable }: Schema): Schema {
  const types = [type].flat().filter((name) => typeof name === "string");
  const rest = types.filter((name) => name !== "null");
  const first = rest.length === 1 ? { type: rest[0] } : {};
  const several = rest.length > 1 ? { anyOf: rest.map((name) => ({ type: name })) } : {};
  return { ...first, ...several, ...((nullable === true || types.includes("null")) && { nullable: true }) };
}

/** Only strings can be listed; other values go into the words that the model reads. */
function valuesOf(schema: Schema): Schema {
  const values = "const" in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : [];
  const listed = values.filter((value) => value !== null);
  if (listed.length === 0) return {};
  const nullable = listed.length < values.length && { nullable: true };
  if (listed.every((value) => typeof value === "string")) return { type: "string", enum: listed, ...nullable };
  const words = `One of ${JSON.stringify(listed)}.`;
  return { description: typeof schema.description === "string" ? `${schema.description} ${words}` : words, ...nullable };
}

function propertiesOf(schema: Schema, place: Place): Schema {
  const properties = Object.entries(asSchema(schema.properties)).map(([name, property]) => [name, translate(property, place)]);
  if (properties.length === 0) return {};
  const names = properties.map(([name]) => name);
  const required = Array.isArray(schema.required) ? schema.required.filter((name) => names.includes(name)) : [];
  return { type: "object", properties: Object.fromEntries(properties), ...(required.length > 0 && { required }) };
}

function alternativesOf(schema: Schema, place: Place): Schema {
  const all = [...schemas(schema.anyOf), ...schemas(schema.oneOf)];
  const alternatives = all.filter(({ type }) => type !== "null").map((alternative) => translate(alternative, place));
  const nullable = alternatives.length < all.length && { nullable: true };
  const [only, ...others] = alternatives;
  if (!only) return { ...nullable };
  return others.length === 0 ? { ...only, ...nullable } : { anyOf: alternatives, ...nullable };
}

function merge(all: Schema, part: Schema): Schema {
  return {
    ...all,
    ...part,
    properties: { ...asSchema(all.properties), ...asSchema(part.properties) },
    required: [all.required, part.required].flat().filter((name) => name !== undefined),
  };
}

function schemas(value: unknown): Schema[] {
  return Array.isArray(value) ? value.map(asSchema) : [];
}

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
