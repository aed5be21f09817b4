import type { AddMember, Conversation, RemoveMember, SetMemberRole } from "@parley/contract";
import type { MemberRole, Person } from "@parley/contract/events";
import type { AccessChanges } from "../access/changes.ts";
import type { Audit, AuditAction } from "../audit/audit.ts";
import type { Actor, Caller } from "../auth/actor.ts";
import { fold } from "../auth/names.ts";
import { findUserByKey } from "../auth/queries.ts";
import type { Database } from "../database/index.ts";
import { AppError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { toPerson } from "../users/person.ts";
import type { Announcements } from "./announcements.ts";
import { deleteConversations } from "./change-queries.ts";
import type { Conversations } from "./conversations.ts";
import { passOwnership, stopRunsOf } from "./departure-queries.ts";
import { changeAsMember, changeAsOwner, lockPublic, type Present } from "./locks.ts";
import { endMembership, insertMember, updateMemberRole } from "./member-queries.ts";

const mostMembers = 100;

/** Who is in a conversation. Every change locks the conversation first: of two at once, the second finds what the first has done. */
export function createMembers(
  { database }: Pick<Ports, "database">,
  parts: { access: AccessChanges; announcements: Announcements; audit: Audit; conversations: Conversations },
) {
  const { access, announcements, audit, conversations } = parts;

  function record(actor: Actor, action: AuditAction, done: { id: string; userId: string; role?: MemberRole; caller: Caller }) {
    const { id, userId, role, caller } = done;
    const details = { userId, ...(role && { role }) };
    audit.done(actor.userId, action, { target: `conversation:${id}`, address: caller.address, details });
  }

  async function ended(conversationId: string, user: Person) {
    access.apply({ kind: "membership_ended", userId: user.id, conversationId });
    await announcements.left(conversationId, user);
  }

  return {
    /** Who is in it already gets the role. */
    async add(actor: Actor, { id, identifier, role }: AddMember, caller: Caller): Promise<Conversation> {
      const { user, outcome } = await changeAsOwner(database, { userId: actor.userId, id }, async (transaction, present) => {
        const user = await findPerson(transaction, identifier);
        const known = present.get(user.id);
        if (known) return { user, outcome: await giveRole(transaction, present, { id, userId: user.id, role }) };
        checkRoom(present);
        await insertMember(transaction, { conversationId: id, userId: user.id, role });
        return { user, outcome: "added" as const };
      });
      if (outcome === "added") await announcements.joined(id, user);
      if (outcome === "changed") announcements.updated(id);
      const action = outcome === "added" ? "member.add" : "member.role";
      if (outcome !== "same") record(actor, action, { id, userId: user.id, role, caller });
      return conversations.get(actor, id);
    },

    async setRole(actor: Actor, { id, userId, role }: SetMemberRole, caller: Caller): Promise<Conversation> {
      const outcome = await changeAsOwner(database, { userId: actor.userId, id }, (transaction, present) =>
        giveRole(transaction, present, { id, userId, role }),
      );
      if (outcome === "changed") {
        announcements.updated(id);
        record(actor, "member.role", { id, userId, role, caller });
      }
      return conversations.get(actor, id);
    },

    async remove(actor: Actor, { id, userId }: RemoveMember, caller: Caller): Promise<void> {
      const user = await changeAsOwner(database, { userId: actor.userId, id }, async (transaction, present) => {
        const member = present.get(userId);
        if (!member) throw notThere();
        checkOwnerStays(present, userId);
        await stopRunsOf(transaction, { userId, conversationId: id });
        await endMembership(transaction, { conversationId: id, userId });
        return member.user;
      });
      await ended(id, user);
      record(actor, "member.remove", { id, userId, caller });
    },

    /** An owner hands it on; whoever is the last one takes it along. */
    async leave(actor: Actor, id: string, caller: Caller): Promise<void> {
      const { userId } = actor;
      const { user, heirs } = await changeAsMember(database, { userId, id }, async (transaction, _, me) => {
        await stopRunsOf(transaction, { userId, conversationId: id });
        const { readByNobody, heirs } = await passOwnership(transaction, { userId, conversationId: id });
        if (readByNobody.length > 0) await deleteConversations(transaction, readByNobody);
        else await endMembership(transaction, { conversationId: id, userId });
        return { user: me.user, heirs };
      });
      await ended(id, user);
      record(actor, "member.leave", { id, userId, caller });
      for (const heir of heirs) record(actor, "member.role", { ...heir, role: "owner", caller });
    },

    /** Of a public one. */
    async join(actor: Actor, id: string, caller: Caller): Promise<Conversation> {
      const { userId } = actor;
      const hasJoined = await database.transaction(async (transaction) => {
        const present = await lockPublic(transaction, id);
        if (!present || present.has(userId)) return false;
        checkRoom(present);
        await insertMember(transaction, { conversationId: id, userId, role: "editor" });
        return true;
      });
      const conversation = await conversations.get(actor, id);
      if (!hasJoined) return conversation;
      const me = conversation.members.find(({ user }) => user.id === userId);
      if (me) await announcements.joined(id, me.user);
      record(actor, "member.join", { id, userId, role: "editor", caller });
      return conversation;
    },
  };
}

async function giveRole(
  transaction: Database,
  present: Present,
  { id, userId, role }: { id: string; userId: string; role: MemberRole },
): Promise<"same" | "changed"> {
  const member = present.get(userId);
  if (!member) throw notThere();
  if (member.role === role) return "same";
  checkOwnerStays(present, userId);
  await updateMemberRole(transaction, { conversationId: id, userId, role });
  return "changed";
}

/** A suspended account is refused like a missing one. */
async function findPerson(transaction: Database, identifier: string): Promise<Person> {
  const user = await findUserByKey(transaction, fold(identifier));
  if (user?.status !== "active") throw new AppError("not_found", "There is nobody of this name");
  return toPerson(user.id, user.displayName);
}

function checkRoom(present: Present) {
  if (present.size >= mostMembers) throw new AppError("conflict", `A conversation has at most ${mostMembers} members`);
}

function checkOwnerStays(present: Present, userId: string) {
  const isOwned = [...present].some(([id, { role }]) => role === "owner" && id !== userId);
  if (!isOwned) throw new AppError("conflict", "This is the last owner: name another one first");
}

const notThere = () => new AppError("not_found", "This person is not in this conversation");
