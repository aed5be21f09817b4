// Where a CPU profile says that the time went: by function, and by the part of the source tree that it is in.
import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import { table } from "./stats.mjs";

const maps = new Map();

export function describeProfile(file, { functions = 40 } = {}) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8"));
  const byId = new Map(nodes.map((node) => [node.id, { ...node, self: 0 }]));
  samples.forEach((id, index) => {
    byId.get(id).self += timeDeltas[index];
  });
  const byFunction = new Map();
  const byPart = new Map();
  const withCallees = new Map();
  let total = 0;

  /** Returns the time of a node and all that it called. A function that calls itself counts once. */
  function visit(node, above) {
    const { functionName } = node.callFrame;
    if (functionName === "(idle)") return 0;
    const place = placeOf(node.callFrame);
    if (place.includes("bench/lib/hook.mjs")) return 0; // starting the profiler
    const name = `${functionName || "(anonymous)"} ${place}`;
    add(byFunction, name, node.self);
    add(byPart, partOf(functionName, place), node.self);
    total += node.self;
    const isOuter = !above.has(name);
    if (isOuter) above.add(name);
    let sum = node.self;
    for (const id of node.children ?? []) sum += visit(byId.get(id), above);
    if (!isOuter) return sum;
    above.delete(name);
    if (!place.startsWith("node:") && place !== "") add(withCallees, name, sum);
    return sum;
  }
  visit(byId.get(nodes[0].id), new Set());

  const rows = (entries, most) =>
    [...entries]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([name, us]) => [name, `${((100 * us) / total).toFixed(1)}%`]);
  return [
    table(["part", "self time"], rows(byPart, 25)),
    table(["function", "self time"], rows(byFunction, functions)),
    table(["function", "with all that it called"], rows(withCallees, functions)),
  ].join("\n\n");
}

function add(totals, key, us) {
  totals.set(key, (totals.get(key) ?? 0) + us);
}

function placeOf({ url, lineNumber, columnNumber }) {
  if (!url.startsWith("file:")) return url;
  const file = fileURLToPath(url);
  const entry = mapOf(file)?.findEntry(lineNumber, columnNumber);
  const source = entry?.originalSource ?? file;
  const line = (entry?.originalLine ?? lineNumber) + 1;
  return `${shorten(source)}:${line}`;
}

function mapOf(file) {
  if (!maps.has(file)) {
    const map = `${file}.map`;
    maps.set(file, existsSync(map) ? new SourceMap(JSON.parse(readFileSync(map, "utf8"))) : null);
  }
  return maps.get(file);
}

function shorten(source) {
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+\/(?!.*node_modules).*)$/.exec(source);
  if (library) return library[1];
  return /((?:packages|apps)\/.*)$/.exec(source)?.[1] ?? source.replace(/^(\.\.\/)+servers/, "apps/bench/servers");
}

function partOf(name, place) {
  if (place === "") return name.startsWith("(") ? name : "(native)";
  if (place.startsWith("node:")) return place.split(":").slice(0, 2).join(":").split("/").slice(0, 2).join("/");
  if (/^(packages|apps)\//.test(place)) return place.split("/").slice(0, 5).slice(0, -1).join("/").replace("/src", "");
  return place
    .split("/")
    .slice(0, place.startsWith("@") ? 2 : 1)
    .join("/");
}
