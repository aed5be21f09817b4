import { command } from "../command.ts";
import { signInAnew } from "../connect.ts";
import { deviceOf, passwordOptions, readPassword, warnOfPlainHttp } from "../input/credentials.ts";
import { prompt } from "../input/prompt.ts";
import { tell } from "../output/say.ts";

export const login = command({
  name: "login",
  summary: "Signs in, and keeps that",
  options: {
    user: { type: "string", short: "u", value: "NAME", help: "Your e-mail address or username" },
    ...passwordOptions,
  },
  async run(context, { user: given, "password-stdin": isFromStdin, device }) {
    const { url } = context;
    warnOfPlainHttp(context);
    const identifier = given ?? (await prompt("E-mail address or username", { option: "--user" }));
    const password = await readPassword(isFromStdin);
    const user = await signInAnew(url, (auth) => auth.signIn({ identifier, password, device: deviceOf(device) }));
    tell(context, { url, user }, `Signed in at ${url} as ${user.displayName} <${user.email}>`);
  },
});
