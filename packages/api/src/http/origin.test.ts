import { expect, test } from "vitest";
import { originOf } from "./exchange.ts";
import { createGate } from "./gate.ts";
import type { GateOptions } from "./options.ts";

const usual: GateOptions = {
  environment: "production",
  publicUrl: null,
  corsOrigins: [],
  allowedHosts: [],
  trustedProxies: [],
  requireHttps: false,
  requestId: () => "request",
  now: () => 0,
};

function isLocal(peer: string, headers: Record<string, string> = {}, options: Partial<GateOptions> = {}) {
  const gate = createGate({ ...usual, ...options });
  const head = { method: "GET", url: "http://localhost:3000/", headers: new Headers(headers) };
  return originOf(gate.open(head, peer)).isLocal;
}

test.each(["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.9.1"])("%s is this machine", (peer) => {
  expect(isLocal(peer)).toBe(true);
});

test.each(["192.0.2.1", "::2", "::1:2", "10.0.0.1", ""])("%s is not this machine", (peer) => {
  expect(isLocal(peer)).toBe(false);
});

test("what a proxy on this machine hands on is not from this machine", () => {
  expect(isLocal("127.0.0.1", { "x-forwarded-for": "127.0.0.1" })).toBe(false);
  expect(isLocal("127.0.0.1", { forwarded: "for=127.0.0.1" })).toBe(false);
  expect(isLocal("127.0.0.1", {}, { trustedProxies: ["loopback"] })).toBe(false);
  expect(isLocal("127.0.0.1", {}, { publicUrl: "https://chat.example.com" })).toBe(false);
  expect(isLocal("127.0.0.1", {}, { publicUrl: "http://localhost:3000" })).toBe(true);
});
