import { hostOf } from "./lists.ts";

/** Only over TLS: elsewhere browsers must ignore it. */
export const transportSecurity = "max-age=31536000; includeSubDomains; preload";

/** The headers that no answer goes without. */
export function createStandardHeaders(publicUrl: string | null): (requestId: string) => Record<string, string> {
  // 'self' covers the socket of the same host since 2022; the name is for browsers from before.
  const socket = publicUrl === null ? "" : ` ${publicUrl.startsWith("https:") ? "wss" : "ws"}://${hostOf(publicUrl)}`;
  const contentSecurity = [
    "default-src 'self'",
    `connect-src 'self'${socket}`,
    "img-src 'self' data: blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
  ].join("; ");
  // One literal: spreading a constant record into another costs fifty times as much.
  return (requestId) => ({
    "cache-control": "no-store",
    "content-security-policy": contentSecurity,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
    vary: "origin, accept-encoding, trpc-accept",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-request-id": requestId,
    "x-response-time": "",
  });
}
