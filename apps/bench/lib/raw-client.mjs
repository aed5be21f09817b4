// The cheapest client that Node can be: raw sockets, one shared read buffer, no frame parser. Because server-to-client
// WebSocket frames are unmasked and every delta carries "@<12 digits>", tokens are found by scanning bytes, whatever the
// protocol (SSE, ws, tRPC, socket.io) and however a server groups them.
// A connection follows a dialogue: [{ send }, { expect, send }, ...], where `expect` is a text or a pattern and `send`
// bytes, a text, or a function of what the pattern matched. After it, every "@stamp" counts as one delivered token.
import net from "node:net";
import { nowUs } from "./clock.mjs";

const AT = 64;
const shared = Buffer.allocUnsafe(1 << 16);
const tailLength = 4096;

export class Conn {
  /**
   * handlers: token(latencyUs, conn), ready(conn), conversed(conn) after each dialogue, end(conn), close(conn, why);
   * `end` is the text that closes a turn.
   */
  constructor(port, steps, handlers, { end = null } = {}) {
    this.handlers = handlers;
    this.end = end;
    this.tokens = 0;
    this.turn = 0;
    this.digits = -1;
    this.value = 0;
    this.tail = "";
    this.steps = steps;
    this.at = 0;
    this.text = "";
    const onread = {
      buffer: shared,
      callback: (length, buffer) => {
        this.data(length, buffer);
        return true;
      },
    };
    this.sock = net.connect({ port, host: "127.0.0.1", noDelay: true, onread });
    this.sock.on("connect", () => {
      this.converse(steps);
      if (this.at >= steps.length) handlers.ready?.(this);
    });
    this.sock.on("error", (error) => {
      this.why = error.code;
    });
    this.sock.on("close", () => {
      if (!this.done) handlers.close?.(this, this.why ?? "closed");
    });
  }

  send(bytes) {
    if (bytes != null) this.sock.write(bytes, "latin1");
  }

  /** Begins a dialogue; tokens count again when it is over. */
  converse(steps) {
    this.steps = steps;
    this.text = "";
    this.at = 1;
    this.send(steps[0].send);
  }

  destroy() {
    this.done = true;
    this.sock.destroy();
  }

  data(length, buffer) {
    if (this.at < this.steps.length) this.listen(buffer.latin1Slice(0, length));
    else if (this.isRefusal(length, buffer)) this.sock.destroy();
    else {
      this.scan(length, buffer);
      if (this.end) this.lookForEnd(length, buffer);
    }
  }

  listen(text) {
    this.text += text;
    while (this.at < this.steps.length) {
      const { expect, send } = this.steps[this.at];
      const found = find(this.text, expect);
      if (!found) {
        if (!/^HTTP\/1.1 [45]/.test(this.text) && !/"error":\{/.test(this.text)) return;
        this.why = this.text.slice(0, 300);
        this.sock.destroy();
        return;
      }
      this.text = this.text.slice(found.index + found[0].length);
      this.at++;
      this.send(typeof send === "function" ? send(found) : send);
    }
    this.text = "";
    this.handlers.conversed?.(this);
    if (!this.isReady) {
      this.isReady = true;
      this.handlers.ready?.(this);
    }
  }

  /** Only the first bytes can be a refusal. */
  isRefusal(length, buffer) {
    if (this.checked) return false;
    this.checked = true;
    if (!/^HTTP\/1.1 [345]/.test(buffer.latin1Slice(0, Math.min(length, 12)))) return false;
    this.why = buffer.latin1Slice(0, Math.min(length, 600));
    return true;
  }

  scan(length, buffer) {
    const now = nowUs() % 1e12;
    if (length < buffer.length) buffer[length] = AT; // stops indexOf at the end of what was read
    let position = 0;
    for (;;) {
      if (this.digits < 0) {
        const found = buffer.indexOf(AT, position);
        if (found < 0 || found >= length) return;
        position = found + 1;
        this.digits = 0;
        this.value = 0;
      }
      while (position < length && this.digits < 12) {
        const digit = buffer[position] - 48;
        if (digit < 0 || digit > 9) {
          this.digits = -2;
          break;
        }
        this.value = this.value * 10 + digit;
        this.digits++;
        position++;
      }
      if (this.digits === 12) {
        this.digits = -1;
        this.tokens++;
        this.handlers.token(now - this.value, this);
      } else if (this.digits === -2) this.digits = -1;
      else return; // the rest of the digits come with the next read
    }
  }

  lookForEnd(length, buffer) {
    const text = this.tail + buffer.latin1Slice(Math.max(0, length - tailLength), length);
    if (text.includes(this.end)) {
      this.tail = "";
      this.turn++;
      this.handlers.end?.(this);
    } else this.tail = text.slice(1 - this.end.length);
  }
}

function find(text, expected) {
  if (expected instanceof RegExp) return expected.exec(text);
  const index = text.indexOf(expected);
  return index < 0 ? null : { index, 0: expected };
}

/** A client text frame. The mask key is zero, so that the payload goes out as it is. */
export function wsFrame(value) {
  const payload = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  const { length } = payload;
  const head = length < 126 ? [0x81, 0x80 | length] : [0x81, 0x80 | 126, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}

const lines = (headers) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");

export function wsUpgrade(path, headers = {}) {
  const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13";
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${upgrade}\r\n${key}\r\n${lines(headers)}\r\n`;
}

export function httpPost(path, body, headers = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n`;
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${type}${lines(headers)}\r\n${text}`;
}

export const httpGet = (path, headers = {}) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines(headers)}\r\n`;
