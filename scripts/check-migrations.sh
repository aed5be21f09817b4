#!/usr/bin/env bash
# Fails when the schema says something that no migration does yet.
set -euo pipefail
before=$(git status --porcelain drizzle)
drizzle-kit generate --name drift >/dev/null
if [ "$(git status --porcelain drizzle)" != "$before" ]; then
  git status --porcelain drizzle
  echo "The schema has changed: run npm run db:generate and commit what it writes"
  exit 1
fi
