import { expect, test } from "vitest";
import { isLocalUrl } from "./local-address.ts";

test.each([
  "http://localhost:11434/v1",
  "http://127.0.0.1:8000",
  "http://127.1.2.3",
  "http://0.0.0.0:8080",
  "http://10.1.2.3",
  "http://172.16.0.1",
  "http://172.31.255.1",
  "http://192.168.1.5:1234/v1",
  "http://169.254.1.1",
  "http://[::1]:11434",
  "http://[fd12:3456::1]",
  "http://[fe80::1]",
  "http://[::ffff:192.168.1.5]",
  "http://host.docker.internal:11434",
  "https://studio.local",
  "http://ollama:11434/v1",
])("%s is in this network", (url) => {
  expect(isLocalUrl(url)).toBe(true);
});

test.each([
  "https://api.openai.com/v1",
  "https://8.8.8.8",
  "http://172.32.0.1",
  "http://100.1.2.3",
  "http://11.0.0.1",
  "http://[2001:db8::1]",
  "http://[::ffff:8.8.8.8]",
  "https://local.example.com",
  "https://10.example.com",
  "https://notlocalhost.com",
])("%s is elsewhere", (url) => {
  expect(isLocalUrl(url)).toBe(false);
});
