import { hostname } from "node:os";
import type { Context } from "../context.ts";
import { usage } from "../failure.ts";
import { toJson } from "../output/json.ts";
import { isReadOnTheWay } from "../settings.ts";
import { prompt } from "./prompt.ts";
import { readStdin } from "./stdin.ts";

export const passwordOptions = {
  "password-stdin": { type: "boolean", help: "Reads the password from standard input" },
  device: { type: "string", value: "NAME", help: "What your list of sessions calls this one" },
} as const;

export async function readPassword(isFromStdin = false): Promise<string> {
  const password = isFromStdin ? await readStdin() : await prompt("Password", { isSecret: true, option: "--password-stdin" });
  if (password === "") throw usage("The password is empty");
  return password;
}

export const deviceOf = (given: string | undefined) => ({ name: (given ?? `parley on ${hostname()}`).slice(0, 100) });

export function warnOfPlainHttp({ url, json }: Context): void {
  if (!isReadOnTheWay(url)) return;
  const message = `${url} is not encrypted: a password can be read on its way`;
  process.stderr.write(`${json ? toJson({ warning: { reason: "not_encrypted", message } }) : `parley: ${message}`}\n`);
}
