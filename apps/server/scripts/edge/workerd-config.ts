import { compatibility, durableObjects } from "./deployment.ts";

export interface WorkerdOptions {
  /** The first one is the entry. */
  modules: readonly { name: string; kind: "esModule" | "wasm" }[];
  /** Absent for a worker that has nothing. */
  bindings?: { texts: Record<string, string>; databaseUrl: string; objectsFolder: string };
}

/** For workerd itself, in the language of its configurations; modules are beside the file. */
export function workerdConfig({ modules, bindings }: WorkerdOptions): string {
  const { compatibilityDate, compatibilityFlags } = compatibility;
  const embedded = modules.map(({ name, kind }) => `(name="${name}", ${kind}=embed "${name}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const worker :Workerd.Worker = (
  modules=[${embedded}],
  compatibilityDate="${compatibilityDate}",
  compatibilityFlags=[${compatibilityFlags.map((flag) => `"${flag}"`)}],
  ${bindings ? objectsAndBindings(bindings) : ""}
);
const config :Workerd.Config = (
  services=[
    (name="main", worker = .worker),
    (name="internet", network=(allow=["private"])),
    ${bindings ? `(name="objects", disk=(path="${bindings.objectsFolder}", writable=true)),` : ""}
  ],
  sockets=[(name="http", address="127.0.0.1:0", http=(), service="main")],
);`;
}

function objectsAndBindings({ texts, databaseUrl }: NonNullable<WorkerdOptions["bindings"]>): string {
  const objects = Object.entries(durableObjects);
  const classes = objects.map(([, { className }]) => `(className="${className}", uniqueKey="${className}", enableSql=true)`);
  const bound = [
    ...objects.map(([name, { className }]) => `(name="${name}", durableObjectNamespace="${className}")`),
    ...Object.entries(texts).map(([name, text]) => `(name="${name}", text="${text}")`),
    `(name="HYPERDRIVE", json="${JSON.stringify({ connectionString: databaseUrl }).replaceAll('"', '\\"')}")`,
  ];
  return `durableObjectNamespaces=[${classes}], durableObjectStorage=(localDisk="objects"), bindings=[${bound}],`;
}
