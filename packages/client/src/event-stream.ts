export interface StreamedEvent {
  type: string;
  data: string;
  /** The last id that the stream has named. */
  id: string;
}

const field = /^([^:]*)(?:: ?(.*))?$/s;

/** The events of a `text/event-stream`, as they arrive. */
export async function* readEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<StreamedEvent, void> {
  let type = "message";
  let id = "";
  let data: string[] = [];
  for await (const line of readLines(body)) {
    if (line === "") {
      if (data.length > 0) yield { type, data: data.join("\n"), id };
      type = "message";
      data = [];
      continue;
    }
    const [, name, value = ""] = field.exec(line) ?? [];
    if (name === "data") data.push(value);
    else if (name === "event") type = value;
    else if (name === "id") id = value;
  }
}

async function* readLines(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let begun = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (begun + decoder.decode(value, { stream: true })).split("\n");
      begun = lines.pop() ?? "";
      for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
