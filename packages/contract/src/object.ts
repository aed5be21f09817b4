import * as z from "zod";

/** As `z.object`, with fields that are made when something is first held against it: a start makes none of them. */
export function object<Shape extends z.core.$ZodLooseShape>(fields: () => Shape) {
  const schema = new z.ZodObject({
    type: "object",
    get shape() {
      const shape = fields();
      Object.defineProperty(this, "shape", { value: shape });
      return shape;
    },
  });
  return schema as z.ZodObject<z.core.util.Writeable<Shape>>;
}
