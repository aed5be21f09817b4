import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Consumer } from "./consumer.ts";

interface Worker {
  name: string;
  /** In the consumer's folder. */
  source: string;
  texts?: Record<string, string>;
  services?: Record<string, string>;
}

/** A file for `workerd test`, which calls what a Worker exports as `test`. `externals` are addresses, by the service's name. */
export async function writeConfig(
  consumer: Consumer,
  workers: Worker[],
  externals: Record<string, string> = {},
): Promise<string> {
  for (const { source } of workers) await consumer.worker(source);
  const services = [
    '(name = "internet", network = (allow = ["private"]))',
    ...Object.entries(externals).map(([name, address]) => `(name = "${name}", external = (address = "${address}", http = ()))`),
    ...workers.map(serviceOf),
  ];
  const file = "workers.capnp";
  const config = `using Workerd = import "/workerd/workerd.capnp";\nconst config :Workerd.Config = (services = [${services.join(",\n")}]);\n`;
  await writeFile(path.join(consumer.folder, file), config);
  return file;
}

function serviceOf({ name, source, texts = {}, services = {} }: Worker): string {
  const bindings = [
    ...Object.entries(texts).map(([binding, text]) => `(name = "${binding}", text = "${text}")`),
    ...Object.entries(services).map(([binding, service]) => `(name = "${binding}", service = "${service}")`),
  ];
  return `(name = "${name}", worker = (
    modules = [(name = "${source}", esModule = embed "${source}.min.js")],
    compatibilityDate = "2026-04-01",
    bindings = [${bindings.join(", ")}],
  ))`;
}
