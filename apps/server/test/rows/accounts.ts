import { missing, password, type Row, unique } from "./row.ts";

export const accounts: Record<string, Row> = {
  "admin.audit.list": {
    permission: "users.manage",
    call: (api) => api.admin.audit.list.query({}),
    wrong: (api) => api.admin.audit.list.query({ limit: 0 }),
  },
  "admin.invites.create": {
    permission: "users.manage",
    call: (api) => api.admin.invites.create.mutate(),
    wrong: (api) => api.admin.invites.create.mutate({ email: "no" }),
  },
  "admin.users.list": {
    permission: "users.manage",
    call: (api) => api.admin.users.list.query({}),
    wrong: (api) => api.admin.users.list.query({ limit: 0 }),
  },
  "admin.users.restore": {
    outcome: "not_found",
    permission: "users.manage",
    call: (api) => api.admin.users.restore.mutate({ id: missing }),
    wrong: (api) => api.admin.users.restore.mutate({ id: "no" }),
  },
  "admin.users.setPlan": {
    outcome: "not_found",
    permission: "users.manage",
    call: (api) => api.admin.users.setPlan.mutate({ id: missing, plan: "pro" }),
    wrong: (api) => api.admin.users.setPlan.mutate({ id: missing, plan: "pro", budget: { tokens: -1, micros: null } }),
  },
  "admin.users.setRole": {
    outcome: "not_found",
    permission: "users.manage",
    call: (api) => api.admin.users.setRole.mutate({ id: missing, role: "user" }),
    wrong: (api) => api.admin.users.setRole.mutate({ id: "no", role: "" }),
  },
  "admin.users.suspend": {
    outcome: "not_found",
    permission: "users.manage",
    call: (api) => api.admin.users.suspend.mutate({ id: missing }),
    wrong: (api) => api.admin.users.suspend.mutate({ id: "no" }),
  },
  "apiKey.create": {
    call: (api) => api.apiKey.create.mutate({ name: "Robot" }),
    wrong: (api) => api.apiKey.create.mutate({ name: "" }),
  },
  "apiKey.list": { call: (api) => api.apiKey.list.query() },
  "apiKey.revoke": {
    call: async (api) => api.apiKey.revoke.mutate({ id: (await api.apiKey.create.mutate({ name: "Robot" })).apiKey.id }),
    wrong: (api) => api.apiKey.revoke.mutate({ id: "no" }),
    foreign: (api, { keyId }) => api.apiKey.revoke.mutate({ id: keyId }),
  },
  "auth.changePassword": {
    call: (api) => api.auth.changePassword.mutate({ currentPassword: password, newPassword: "Another-horse-2" }),
    wrong: (api) => api.auth.changePassword.mutate({ currentPassword: password, newPassword: "short" }),
  },
  "auth.login": {
    isOpen: true,
    call: (api, { email }) => api.auth.login.mutate({ identifier: email, password }),
    wrong: (api) => api.auth.login.mutate({ identifier: "", password: "" }),
  },
  "auth.logout": { call: (api) => api.auth.logout.mutate() },
  "auth.me": { call: (api) => api.auth.me.query() },
  "auth.refresh": {
    isOpen: true,
    call: (api, { tokens }) => api.auth.refresh.mutate({ refreshToken: tokens.refreshToken }),
    wrong: (api) => api.auth.refresh.mutate({ refreshToken: "x", attemptId: "short" }),
  },
  "auth.register": {
    isOpen: true,
    call: (api) => api.auth.register.mutate({ email: `${unique()}@example.com`, password }),
    wrong: (api) => api.auth.register.mutate({ email: "no", password: "short" }),
  },
  "auth.requestEmailVerification": { call: (api) => api.auth.requestEmailVerification.mutate() },
  "auth.requestPasswordReset": {
    isOpen: true,
    call: (api, { email }) => api.auth.requestPasswordReset.mutate({ email }),
    wrong: (api) => api.auth.requestPasswordReset.mutate({ email: "no" }),
  },
  "auth.resetPassword": {
    outcome: "not_found",
    isOpen: true,
    call: (api) => api.auth.resetPassword.mutate({ token: "made-up", newPassword: "Another-horse-2" }),
    wrong: (api) => api.auth.resetPassword.mutate({ token: "", newPassword: "x" }),
  },
  "auth.verifyEmail": {
    outcome: "not_found",
    isOpen: true,
    call: (api) => api.auth.verifyEmail.mutate({ token: "made-up" }),
    wrong: (api) => api.auth.verifyEmail.mutate({ token: "" }),
  },
  "session.end": {
    call: async (api, { session }) => api.session.end.mutate({ id: session.id }),
    wrong: (api) => api.session.end.mutate({ id: "no" }),
    foreign: (api, { sessionId }) => api.session.end.mutate({ id: sessionId }),
  },
  "session.endAll": { call: (api) => api.session.endAll.mutate() },
  "session.endOthers": { call: (api) => api.session.endOthers.mutate() },
  "session.list": { call: (api) => api.session.list.query() },
  "user.deleteAccount": {
    call: (api) => api.user.deleteAccount.mutate({ password }),
    wrong: (api) => api.user.deleteAccount.mutate({ password: "" }),
  },
  "user.export": { call: (api) => api.user.export.query() },
  "user.preferences": { call: (api) => api.user.preferences.query() },
  "user.profile": { call: (api) => api.user.profile.query() },
  "user.setPreferences": {
    call: (api) => api.user.setPreferences.mutate({ theme: "dark" }),
    wrong: (api) => api.user.setPreferences.mutate({ long: "x".repeat(20_000) }),
  },
  "user.update": {
    call: (api) => api.user.update.mutate({ bio: "Sails" }),
    wrong: (api) => api.user.update.mutate({ timeZone: "Nowhere/Land" }),
  },
  "user.usage": {
    call: (api) => api.user.usage.query({ range: "7d" }),
    wrong: (api) => api.user.usage.query({ range: "1y" as "7d" }),
  },
};
