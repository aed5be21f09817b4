import { permissions, type Scope, useScopes } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";

const everything = "*";
const uses: readonly string[] = useScopes;

export function includesPermission(granted: readonly string[], permission: string): boolean {
  return granted.includes(permission) || granted.includes(everything);
}

/** A session may do all that its account may; a key, what it was made for. */
export function mayUse({ scopes }: Pick<Actor, "scopes">, scope: Scope): boolean {
  return scopes === null || includesPermission(scopes, scope);
}

/** What a key has of its owner's permissions: never more than the owner has at the time of the call. */
export function narrowPermissions(owned: readonly string[], scopes: readonly string[]): string[] {
  if (scopes.includes(everything)) return [...owned];
  const asked = scopes.filter((scope) => !uses.includes(scope));
  return asked.filter((scope) => includesPermission(owned, scope));
}

/** What an owner with these permissions cannot put into a key. */
export function findForbiddenScope(owned: readonly string[], scopes: readonly Scope[]): Scope | undefined {
  const guarded: readonly Scope[] = permissions;
  return scopes.find((scope) => guarded.includes(scope) && !includesPermission(owned, scope));
}
