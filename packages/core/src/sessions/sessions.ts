import type { Session, SessionList } from "@parley/contract";
import type { AccessChanges } from "../access/changes.ts";
import type { Audit } from "../audit/audit.ts";
import type { Actor, Origin } from "../auth/actor.ts";
import type { createTokens } from "../auth/tokens.ts";
import { readInstant } from "../database/statement.ts";
import { AppError } from "../errors.ts";
import type { Live } from "../live/live.ts";
import type { Ports } from "../ports.ts";
import type { Settings } from "../settings.ts";
import { describeDevice } from "./device.ts";
import { orEnded } from "./live-session.ts";
import {
  type EndReason,
  endExpiredSessions,
  endSession,
  endSessions,
  findLiveSession,
  findSessionState,
  insertSession,
  listSessions,
  rotateSession,
  type SessionRow,
  sweepSessions,
} from "./queries.ts";
import { createRefreshTokens } from "./refresh-tokens.ts";

/** A token that was rotated a moment ago: a second tab, or an answer that was lost. */
const reuseWindowMs = 10_000;
const sweepMs = 60 * 60_000;
const expireMs = 30_000;

export interface IssuedTokens {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  tokenType: "Bearer";
}

export type Sessions = ReturnType<typeof createSessions>;

export function createSessions(
  { database, clock, ids, background }: Pick<Ports, "database" | "clock" | "ids" | "background">,
  settings: Settings,
  { access, audit, tokens, live }: { access: AccessChanges; audit: Audit; tokens: ReturnType<typeof createTokens>; live: Live },
) {
  const refreshTokens = createRefreshTokens(settings.jwtSecrets);
  const now = () => clock.now().toISOString();

  background.every("sweep sessions", sweepMs, () => sweepSessions(database, now()));
  background.every("end expired sessions", expireMs, async () => tell(await endExpiredSessions(database, now())));

  /** This process hears of it at once, the others by the rows that the statement has written; the person, on other devices. */
  function tell(ended: { id: string; userId: string }[]) {
    for (const { id: sessionId, userId } of ended) {
      access.apply({ kind: "session_ended", userId, sessionId });
      live.tell([userId], { type: "session-ended", sessionId });
    }
  }

  async function issue(
    sessionId: string,
    counter: number,
    owner: { id: string; plan: string; role: string },
  ): Promise<IssuedTokens> {
    const { accessToken, expiresIn } = await tokens.issue({ userId: owner.id, sessionId, plan: owner.plan, role: owner.role });
    return { accessToken, refreshToken: await refreshTokens.issue({ sessionId, counter }), expiresIn, tokenType: "Bearer" };
  }

  async function end(userId: string, { reason, except = null }: { reason: EndReason; except?: string | null }) {
    const ended = await endSessions(database, { userId, except, now: now(), reason });
    tell(ended);
    return ended.length;
  }

  async function endMany(actor: Actor, { address }: Origin, except: string | null) {
    const count = await end(actor.userId, { reason: "ended", except });
    const target = `user:${actor.userId}`;
    audit.done(actor.userId, "session.end", { target, address, details: { count } });
  }

  return {
    /** How long a browser keeps a refresh token that nobody uses. */
    lifetimeSeconds: Math.floor(settings.sessionTtlMs / 1_000),

    /** One more session; the oldest end when there are too many. */
    async open(
      owner: { id: string; plan: string; role: string; passwordHash: string },
      deviceName: string | null,
      origin: Origin,
    ) {
      const createdAt = clock.now();
      const row = {
        id: ids.next(),
        userId: owner.id,
        deviceName,
        userAgent: origin.userAgent,
        ip: origin.address,
        expiresAt: new Date(createdAt.getTime() + Math.min(settings.sessionTtlMs, settings.sessionMaxAgeMs)).toISOString(),
      };
      const inserted = await insertSession(database, {
        ...row,
        now: createdAt.toISOString(),
        max: settings.maxSessions,
        auditId: ids.next(),
        passwordHash: owner.passwordHash,
      });
      if (!inserted) throw new AppError("invalid_credentials", "The name or the password is wrong");
      const { ended, isKnownDevice } = inserted;
      access.apply({ kind: "profile_changed", userId: owner.id });
      tell(ended);
      const times = { createdAt: createdAt.toISOString(), lastActiveAt: createdAt.toISOString() };
      return { session: toSession({ ...row, ...times }), tokens: await issue(row.id, 0, owner), isKnownDevice };
    },

    /** The next pair of tokens. A token that is older than the last rotation is in the wrong hands: its session ends. */
    async refresh(refreshToken: string, attemptId: string | null, origin: Origin) {
      const claims = await refreshTokens.read(refreshToken);
      if (!claims) throw new AppError("unauthenticated", "This refresh token is not valid");
      const { sessionId: id, counter } = claims;
      const rotated = await rotateSession(database, {
        id,
        counter,
        attemptId,
        now: now(),
        ttlMs: settings.sessionTtlMs,
        maxAgeMs: settings.sessionMaxAgeMs,
      });
      const current = rotated?.counter ?? (await currentCounter(id, counter, attemptId, origin));
      const owner = orEnded(await findLiveSession(database, id, now()));
      return issue(id, current, { id: owner.userId, plan: owner.plan, role: owner.role });
    },

    async list(actor: Actor): Promise<SessionList> {
      const rows = await listSessions(database, actor.userId, now());
      return rows.map((row) => ({ ...toSession(row), current: row.id === actor.sessionId }));
    },

    async endOne(actor: Actor, id: string, reason: EndReason, origin: Origin) {
      const ended = await endSession(database, { id, userId: actor.userId, now: now(), reason });
      if (ended.length === 0) throw new AppError("not_found", "This session does not exist");
      tell(ended);
      const target = `session:${id}`;
      audit.done(actor.userId, "session.end", { target, address: origin.address, details: { reason } });
    },

    endOthers: (actor: Actor, origin: Origin) => endMany(actor, origin, actor.sessionId),
    endAll: (actor: Actor, origin: Origin) => endMany(actor, origin, null),

    /** All of a person's sessions, but for one. */
    end,
  };

  /** For a token that is not the current one: the current counter when the caller may have it; otherwise the session ends. */
  async function currentCounter(id: string, counter: number, attemptId: string | null, origin: Origin): Promise<number> {
    const found = await findSessionState(database, id, now());
    const state = orEnded(found?.isLive ? found : null);
    const isOneBehind = state.counter === counter + 1 && state.rotatedAt !== null;
    const isSameAttempt = attemptId !== null && attemptId === state.attemptId;
    const isRecent = state.rotatedAt !== null && clock.now().getTime() - readInstant(state.rotatedAt).getTime() < reuseWindowMs;
    if (isOneBehind && (isSameAttempt || isRecent)) return state.counter;
    tell(await endSession(database, { id, userId: state.userId, now: now(), reason: "reuse" }));
    const target = `session:${id}`;
    audit.refused(state.userId, "session.reuse", { target, address: origin.address });
    throw new AppError("token_reused", "This refresh token was used before: the session has ended");
  }
}

function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    device: { name: row.deviceName, ...describeDevice(row.userAgent) },
    ip: row.ip,
    createdAt: readInstant(row.createdAt),
    lastActiveAt: readInstant(row.lastActiveAt),
    expiresAt: readInstant(row.expiresAt),
  };
}
