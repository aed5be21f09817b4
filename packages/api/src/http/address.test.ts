import { describe, expect, test } from "vitest";
import { clientAddress, createTrust, limitKey } from "./address.ts";
import { createTestApp } from "./test-app.ts";

const forwarded = (value: string | null) => ({ get: (name: string) => (name === "x-forwarded-for" ? value : null) });

describe("the client's address", () => {
  test.each<[string, string[], string, string | null, string]>([
    ["is the peer's without proxies", ["203.0.113.9"], "198.51.100.1", null, "198.51.100.1"],
    ["is what a trusted proxy says", ["10.0.0.0/8"], "10.0.0.1", "198.51.100.1", "198.51.100.1"],
    [
      "is the right-most that nobody trusted stands for",
      ["10.0.0.0/8"],
      "10.0.0.1",
      "1.1.1.1, 198.51.100.1, 10.0.0.2",
      "198.51.100.1",
    ],
    ["cannot be forged on the left", ["loopback"], "127.0.0.1", "127.0.0.1, 9.9.9.9, 198.51.100.1", "198.51.100.1"],
    ["is the left-most when all are trusted", ["private"], "127.0.0.1", "192.168.1.5, 10.0.0.2", "192.168.1.5"],
    ["stays with the last good hop at garbage", ["private"], "10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"],
    ["stays with the peer at an empty header", ["private"], "10.0.0.1", "", "10.0.0.1"],
    ["is no number that a C library would take", ["private"], "10.0.0.1", "2130706433", "10.0.0.1"],
    ["is no octal number", ["private"], "10.0.0.1", "0127.1", "10.0.0.1"],
    ["loses a port", ["private"], "10.0.0.1", "198.51.100.1:4711", "198.51.100.1"],
    ["loses a port in IPv6", ["private"], "10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"],
    ["is seen through a mapped proxy", ["10.0.0.0/8"], "::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["is seen through an IPv6 proxy", ["2001:db8:1::/48"], "2001:db8:1::7", "198.51.100.1", "198.51.100.1"],
  ])("%s", (_, trusted, peer, header, expected) => {
    const trusts = createTrust(trusted);
    expect(trusts?.(peer) === "trusted" ? clientAddress(peer, forwarded(header), trusts) : peer).toBe(expected);
  });

  test("is not looked for in a thousand hops", () => {
    const trusts = createTrust(["private"]);
    expect(trusts && clientAddress("10.0.0.1", forwarded(Array(1000).fill("10.0.0.3").join()), trusts)).toBe("10.0.0.3");
  });

  test.each(["nonsense", "10.0.0.0/40", "10.0.0", ""])("a proxy named %j stops the start", (entry) => {
    expect(() => createTrust([entry])).toThrow("TRUSTED_PROXIES");
  });
});

test.each([
  ["198.51.100.1", "198.51.100.1"],
  ["::ffff:198.51.100.1", "198.51.100.1"],
  ["::ffff:c633:6401", "198.51.100.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:1:2::1", "2001:db8:1:2::/64"],
  ["::1", "::/64"],
  ["fe80::1%eth0", "fe80::/64"],
  ["not:an:address", "not:an:address"],
])("limits count %s as %s", (address, key) => {
  expect(limitKey(address)).toBe(key);
});

describe("a call", () => {
  const addressOf = async (peer: string, headers: Record<string, string>, trustedProxies: string[]) => {
    const response = await createTestApp({ trustedProxies }).ask("/trpc/caller", { headers }, peer);
    return (await response.json()).result.data.json.address;
  };

  test("ignores forwarding headers of a peer that is not trusted", async () => {
    expect(await addressOf("198.51.100.1", { "x-forwarded-for": "1.1.1.1" }, [])).toBe("198.51.100.1");
    expect(await addressOf("198.51.100.1", { "x-forwarded-for": "1.1.1.1" }, ["loopback"])).toBe("198.51.100.1");
  });

  test("ignores the Forwarded header, which proxies hand on from the client", async () => {
    expect(await addressOf("127.0.0.1", { forwarded: "for=1.1.1.1" }, ["loopback"])).toBe("127.0.0.1");
  });

  test("behind a trusted proxy counts by the client's /64", async () => {
    expect(await addressOf("::1", { "x-forwarded-for": "2001:db8:1:2:3::4" }, ["loopback"])).toBe("2001:db8:1:2::/64");
  });
});
