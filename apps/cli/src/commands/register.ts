import { command } from "../command.ts";
import { signInAnew } from "../connect.ts";
import { deviceOf, passwordOptions, readPassword, warnOfPlainHttp } from "../input/credentials.ts";
import { prompt } from "../input/prompt.ts";
import { tell } from "../output/say.ts";

export const register = command({
  name: "register",
  summary: "Makes an account, and signs in",
  options: {
    email: { type: "string", value: "ADDRESS", help: "Your e-mail address" },
    username: { type: "string", value: "NAME", help: "A name to sign in with" },
    name: { type: "string", value: "NAME", help: "What others see" },
    "setup-code": { type: "string", value: "CODE", help: "For the first account of a server elsewhere: it prints the code" },
    invitation: { type: "string", value: "CODE", help: "Where accounts are by invitation" },
    ...passwordOptions,
  },
  async run(
    context,
    { email: given, username, name, "setup-code": setupCode, invitation, "password-stdin": isFromStdin, device },
  ) {
    const { url } = context;
    warnOfPlainHttp(context);
    const email = given ?? (await prompt("E-mail address", { option: "--email" }));
    const password = await readPassword(isFromStdin);
    const account = { email, username, displayName: name, password, device: deviceOf(device), setupCode, invitation };
    const user = await signInAnew(url, (auth) => auth.register(account));
    if (user) tell(context, { url, user }, `Signed in at ${url} as ${user.displayName} <${user.email}>`);
    else
      tell(context, { url, next: "verify_email" }, `A letter is on its way to ${email}: follow its link, then \`parley login\``);
  },
});
