import { missing, type Row, send, unique } from "./row.ts";

export const chat: Record<string, Row> = {
  "chat.enter": {
    call: async (api) => api.chat.enter.mutate({ conversationId: (await send(api)).conversationId }),
    wrong: (api) => api.chat.enter.mutate({ conversationId: "no" }),
    foreign: (api, { conversationId }) => api.chat.enter.mutate({ conversationId }),
  },
  "chat.exit": {
    call: async (api) => api.chat.exit.mutate({ conversationId: (await send(api)).conversationId }),
    wrong: (api) => api.chat.exit.mutate({ conversationId: "no" }),
    foreign: (api, { conversationId }) => api.chat.exit.mutate({ conversationId }),
  },
  "chat.markRead": {
    async call(api) {
      const { conversationId, message } = await send(api);
      return api.chat.markRead.mutate({ conversationId, messageId: message.id });
    },
    wrong: (api) => api.chat.markRead.mutate({ conversationId: missing, messageId: "no" }),
    foreign: (api, { conversationId }) => api.chat.markRead.mutate({ conversationId, messageId: missing }),
  },
  "chat.regenerate": {
    call: async (api) => api.chat.regenerate.mutate({ messageId: (await send(api)).message.id }),
    wrong: (api) => api.chat.regenerate.mutate({ messageId: "no" }),
    foreign: (api, { messageId }) => api.chat.regenerate.mutate({ messageId }),
  },
  "chat.send": {
    call: (api) => send(api),
    wrong: (api) => api.chat.send.mutate({ clientMessageId: "", content: "\0" }),
    foreign: (api, { conversationId }) => send(api, conversationId),
  },
  "chat.run": {
    async call(api) {
      const { answer } = await api.chat.send.mutate({ clientMessageId: unique(), content: "Hello" });
      return api.chat.run.query({ runId: answer?.runId ?? "" });
    },
    wrong: (api) => api.chat.run.query({ runId: "no" }),
    foreign: (api, { runId }) => api.chat.run.query({ runId }),
  },
  "chat.stop": {
    outcome: "not_found",
    call: (api) => api.chat.stop.mutate({ runId: missing }),
    wrong: (api) => api.chat.stop.mutate({ runId: "no" }),
    foreign: (api, { runId }) => api.chat.stop.mutate({ runId }),
  },
  "chat.typing": {
    call: async (api) => api.chat.typing.mutate({ conversationId: (await send(api)).conversationId, typing: true }),
    wrong: (api) => api.chat.typing.mutate({ conversationId: "no", typing: true }),
    foreign: (api, { conversationId }) => api.chat.typing.mutate({ conversationId, typing: true }),
  },
};
