import { expect, test } from "vitest";
import { isReadOnTheWay, serverUrl } from "./settings.ts";

test.each(["localhost", "localhost:3000", "chat.localhost", "127.0.0.1:3000", "127.8.9.1", "[::1]:3000"])(
  "%s is this machine",
  (given) => {
    expect(serverUrl(given)).toBe(`http://${given}`);
    expect(isReadOnTheWay(`http://${given}`)).toBe(false);
  },
);

test.each(["localhost.example.com", "127.example.com", "localhost-1.example.com", "notlocalhost", "10.0.0.1:3000"])(
  "%s is another",
  (given) => {
    expect(serverUrl(given)).toBe(`https://${given}`);
    expect(isReadOnTheWay(`http://${given}`)).toBe(true);
  },
);
