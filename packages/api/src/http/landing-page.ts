import type { Answer } from "./answer.ts";

export function landingAnswer(version: string, url: string): Answer {
  return {
    status: 200,
    type: "text/html; charset=utf-8",
    body: page(escapeText(version), escapeText(url)),
  };
}

export const styleAnswer: Answer = {
  status: 200,
  type: "text/css; charset=utf-8",
  headers: { "cache-control": "public, max-age=3600" },
  body: `:root { color-scheme: light dark; --ink: #1c1c1e; --paper: #fafaf8; --quiet: #6b6b70; --box: #efeeea; --link: #2456c4 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececee; --paper: #161618; --quiet: #9a9aa0; --box: #232326; --link: #8ab0ff }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif }
main { max-width: 42rem; margin: 0 auto; padding: 3rem 1.25rem }
h1 { margin: 0; font-size: 2rem }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem }
p { margin: .5rem 0 }
a { color: var(--link) }
small { color: var(--quiet) }
pre { overflow-x: auto; padding: 1rem; border-radius: .5rem; background: var(--box); font: .85rem/1.5 ui-monospace, monospace }
`,
};

const page = (version: string, url: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Parley</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>Parley</h1>
<p>The chat server is running. <small>Version ${version}</small></p>
<p>See <a href="/health">its health</a>. A web app is not part of this version.</p>
<h2>Talk to it</h2>
<pre><code>import { createParley } from "@parley/client";

const parley = createParley({ url: "${url}" });
await parley.auth.signIn({ identifier: "me@example.com", password: "…" });
console.log(await parley.chat.ask("Hello").text);
await parley.close();</code></pre>
</main>
</body>
</html>
`;

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
