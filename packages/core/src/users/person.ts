import type { Person } from "@parley/contract/events";
import { type SQL, sql } from "drizzle-orm";

/** A row of `users` as others see it. */
export const personJson = (table: SQL) =>
  sql`json_build_object('id', ${table}.id, 'name', ${table}.display_name, 'avatar', null)`;

/** The same of what a row was read as; null is nobody. */
export function toPerson(id: string, name: string | null): Person;
export function toPerson(id: string | null, name: string | null): Person | null;
export function toPerson(id: string | null, name: string | null): Person | null {
  return id === null ? null : { id, name: name ?? "", avatar: null };
}
