/** Another version may have applied more. Somebody may also have put an older database in its place. */
export const countApplied = "select count(distinct hash)::int as count from drizzle.__drizzle_migrations where hash = any($1)";
