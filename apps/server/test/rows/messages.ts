import { missing, type Row, send } from "./row.ts";

export const messages: Record<string, Row> = {
  "chat.messages.delete": {
    call: async (api) => api.chat.messages.delete.mutate({ id: (await send(api)).message.id }),
    wrong: (api) => api.chat.messages.delete.mutate({ id: "no" }),
    foreign: (api, { messageId }) => api.chat.messages.delete.mutate({ id: messageId }),
  },
  "chat.messages.edit": {
    call: async (api) => api.chat.messages.edit.mutate({ id: (await send(api)).message.id, content: "Hello again" }),
    wrong: (api) => api.chat.messages.edit.mutate({ id: missing, content: "" }),
    foreign: (api, { messageId }) => api.chat.messages.edit.mutate({ id: messageId, content: "Mine" }),
  },
  "chat.messages.get": {
    call: async (api) => api.chat.messages.get.query({ id: (await send(api)).message.id }),
    wrong: (api) => api.chat.messages.get.query({ id: "no" }),
    foreign: (api, { messageId }) => api.chat.messages.get.query({ id: messageId }),
  },
  "chat.messages.history": {
    call: async (api) => api.chat.messages.history.query({ id: (await send(api)).message.id }),
    wrong: (api) => api.chat.messages.history.query({ id: "no" }),
    foreign: (api, { messageId }) => api.chat.messages.history.query({ id: messageId }),
  },
  "chat.messages.list": {
    call: async (api) => api.chat.messages.list.query({ conversationId: (await send(api)).conversationId }),
    wrong: (api) => api.chat.messages.list.query({ conversationId: "no" }),
    foreign: (api, { conversationId }) => api.chat.messages.list.query({ conversationId }),
  },
  "chat.messages.rate": {
    call: async (api) => api.chat.messages.rate.mutate({ messageId: (await send(api)).message.id, rating: "up" }),
    wrong: (api) => api.chat.messages.rate.mutate({ messageId: missing, rating: "sideways" as "up" }),
    foreign: (api, { messageId }) => api.chat.messages.rate.mutate({ messageId, rating: "up" }),
  },
  "chat.messages.search": {
    call: async (api) => api.chat.messages.search.query({ text: (await send(api)).message.content }),
    wrong: (api) => api.chat.messages.search.query({ text: " " }),
    foreign: (api, { conversationId }) => api.chat.messages.search.query({ text: "Hello", conversationId }),
  },
  "chat.messages.showBranch": {
    call: async (api) => {
      const { conversationId, message } = await send(api);
      return api.chat.messages.showBranch.mutate({ conversationId, messageId: message.id });
    },
    wrong: (api) => api.chat.messages.showBranch.mutate({ conversationId: missing, messageId: "no" }),
    foreign: (api, { conversationId, messageId }) => api.chat.messages.showBranch.mutate({ conversationId, messageId }),
  },
};
