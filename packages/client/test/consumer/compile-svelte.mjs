// Compiles a component to a module for browsers. What the compiler warns of is an error.
import { readFileSync, writeFileSync } from "node:fs";
import { compile } from "svelte/compiler";

const [, , file] = process.argv;
const { js, warnings } = compile(readFileSync(file, "utf8"), { filename: file, generate: "client" });
for (const { message } of warnings) throw new Error(message);
writeFileSync(`${file}.js`, js.code);
