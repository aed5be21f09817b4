import type { WrittenConversationFile } from "@parley/contract";
import { missing, type Row, send } from "./row.ts";

const file: WrittenConversationFile = {
  format: "parley.conversation",
  version: 1,
  exportedAt: "2026-11-21T10:00:00.000Z",
  conversation: {
    id: missing,
    title: "A talk",
    description: null,
    tags: [],
    metadata: {},
    model: null,
    systemPrompt: null,
    createdAt: "2026-11-21T09:00:00.000Z",
  },
  messages: [],
};

export const conversations: Record<string, Row> = {
  "chat.conversations.addMember": {
    call: async (api, { email }) => {
      const { id } = await api.chat.conversations.create.mutate({});
      return api.chat.conversations.addMember.mutate({ id, identifier: email, role: "owner" });
    },
    wrong: (api) => api.chat.conversations.addMember.mutate({ id: missing, identifier: "", role: "owner" }),
    foreign: (api, { conversationId: id }) =>
      api.chat.conversations.addMember.mutate({ id, identifier: "nobody@example.com", role: "viewer" }),
  },
  "chat.conversations.create": {
    call: (api) => api.chat.conversations.create.mutate({ title: "Plans", tags: ["Sea"], visibility: "private" }),
    wrong: (api) => api.chat.conversations.create.mutate({ title: " ", tags: Array.from({ length: 21 }, String) }),
  },
  "chat.conversations.delete": {
    call: async (api) => api.chat.conversations.delete.mutate({ id: (await send(api)).conversationId }),
    wrong: (api) => api.chat.conversations.delete.mutate({ id: "no" }),
    foreign: (api, { conversationId: id }) => api.chat.conversations.delete.mutate({ id }),
  },
  "chat.conversations.export": {
    call: async (api) => api.chat.conversations.export.query({ id: (await send(api)).conversationId, format: "markdown" }),
    wrong: (api) => api.chat.conversations.export.query({ id: "no", format: "json" }),
    foreign: (api, { conversationId: id }) => api.chat.conversations.export.query({ id, format: "json" }),
  },
  "chat.conversations.get": {
    call: async (api) => api.chat.conversations.get.query({ id: (await send(api)).conversationId }),
    wrong: (api) => api.chat.conversations.get.query({ id: "no" }),
    foreign: (api, { conversationId }) => api.chat.conversations.get.query({ id: conversationId }),
  },
  "chat.conversations.import": {
    call: (api) => api.chat.conversations.import.mutate({ data: file }),
    wrong: (api) => api.chat.conversations.import.mutate({ data: { ...file, exportedAt: "yesterday" } }),
    foreign: (api, { conversationId: into }) => api.chat.conversations.import.mutate({ data: file, into }),
  },
  "chat.conversations.join": {
    call: async (api) => {
      const { id } = await api.chat.conversations.create.mutate({ visibility: "public" });
      return api.chat.conversations.join.mutate({ id });
    },
    wrong: (api) => api.chat.conversations.join.mutate({ id: "no" }),
    foreign: (api, { conversationId: id }) => api.chat.conversations.join.mutate({ id }),
  },
  "chat.conversations.leave": {
    call: async (api) => api.chat.conversations.leave.mutate({ id: (await send(api)).conversationId }),
    wrong: (api) => api.chat.conversations.leave.mutate({ id: "no" }),
    foreign: (api, { conversationId: id }) => api.chat.conversations.leave.mutate({ id }),
  },
  "chat.conversations.list": {
    call: (api) => api.chat.conversations.list.query({ sortBy: "title", withTotal: true }),
    wrong: (api) => api.chat.conversations.list.query({ limit: 0 }),
  },
  "chat.conversations.listPublic": {
    call: (api) => api.chat.conversations.listPublic.query({}),
    wrong: (api) => api.chat.conversations.listPublic.query({ cursor: "made up" }),
  },
  "chat.conversations.pin": {
    call: async (api) => api.chat.conversations.pin.mutate({ id: (await send(api)).conversationId, pinned: true }),
    wrong: (api) => api.chat.conversations.pin.mutate({ id: "no", pinned: true }),
    foreign: (api, { conversationId: id }) => api.chat.conversations.pin.mutate({ id, pinned: true }),
  },
  "chat.conversations.removeMember": {
    outcome: "not_found",
    call: async (api) => {
      const { conversationId: id } = await send(api);
      return api.chat.conversations.removeMember.mutate({ id, userId: missing });
    },
    wrong: (api) => api.chat.conversations.removeMember.mutate({ id: missing, userId: "no" }),
    foreign: (api, { conversationId: id, userId }) => api.chat.conversations.removeMember.mutate({ id, userId }),
  },
  "chat.conversations.setMemberRole": {
    call: async (api, { user }) => {
      const { conversationId: id } = await send(api);
      return api.chat.conversations.setMemberRole.mutate({ id, userId: user.id, role: "owner" });
    },
    wrong: (api) => api.chat.conversations.setMemberRole.mutate({ id: missing, userId: missing, role: "king" as "owner" }),
    foreign: (api, { conversationId: id, userId }) => api.chat.conversations.setMemberRole.mutate({ id, userId, role: "viewer" }),
  },
  "chat.conversations.share": {
    call: async (api) => api.chat.conversations.share.mutate({ id: (await send(api)).conversationId, on: true }),
    wrong: (api) => api.chat.conversations.share.mutate({ id: "no", on: true }),
    foreign: (api, { conversationId: id }) => api.chat.conversations.share.mutate({ id, on: true }),
  },
  "chat.conversations.shared": {
    isOpen: true,
    call: async (api) => {
      const { conversationId: id } = await send(api);
      const { shareUrl } = await api.chat.conversations.share.mutate({ id, on: true });
      return api.chat.conversations.shared.query({ token: shareUrl?.split("/").at(-1) ?? "" });
    },
    wrong: (api) => api.chat.conversations.shared.query({ token: "\0" }),
    foreign: (api, { conversationId: token }) => api.chat.conversations.shared.query({ token }),
  },
  "chat.conversations.update": {
    call: async (api) => api.chat.conversations.update.mutate({ id: (await send(api)).conversationId, title: "Plans" }),
    wrong: (api) => api.chat.conversations.update.mutate({ id: missing, title: "" }),
    foreign: (api, { conversationId: id }) => api.chat.conversations.update.mutate({ id, title: "Mine" }),
  },
};
