import type { FoundMessage, SearchMessages, SearchPage } from "@parley/contract";
import type { Actor } from "../auth/actor.ts";
import { foreignCursor, lastId, uuid } from "../cursors.ts";
import { readInstant } from "../database/statement.ts";
import type { Ports } from "../ports.ts";
import { noConversation } from "../refusals.ts";
import { toPerson } from "../users/person.ts";
import { excerptAround, excerptFromStart, possibleWords } from "./excerpts.ts";
import {
  type FoundRow,
  findAmongNewest,
  findByIndex,
  findForms,
  findInConversations,
  planSearch,
  readFound,
  type SearchWhere,
} from "./search-queries.ts";

const perPage = 20;
/** So many messages are read through sooner than an index is asked … */
const fewMessages = 3_000;
/** … and so many that an index has found are put in order sooner than conversations are read through. */
const manyFound = 10_000;
/** Where words are looked for before the rest of a long text is read. */
const beginning = 4_000;
const wholeText = 2_147_483_647;
/** Made-up texts may have any number of words that look alike. */
const mostForms = 2_000;

/** Postgres reads only so many words that are not wanted: one more dash with nothing behind it, and it refuses the question. */
const mostDashes = 10;

const cursorPattern = new RegExp(`^${uuid}$`);

export function createSearch({ database }: Pick<Ports, "database">) {
  /** Frequent words are soon found among the newest messages; for rare ones the index has little to put in order. */
  async function find(where: SearchWhere, messages: number): Promise<string[]> {
    if (messages <= fewMessages) return findInConversations(database, { ...where, most: null });
    const bounded = { ...where, most: fewMessages };
    const newest = await (where.conversationId === null ? findAmongNewest : findInConversations)(database, bounded);
    if (newest.length === where.limit) return newest;
    const found = await findByIndex(database, { ...where, most: manyFound });
    return found ?? findInConversations(database, { ...where, most: null });
  }

  /** Of most texts the beginning is enough. */
  async function excerptsOf(userId: string, rows: FoundRow[], lexemes: string[]) {
    const excerpts = await excerptsIn(rows, lexemes);
    const ids = rows.flatMap(({ messageId, isCut }) => (isCut && !excerpts.has(messageId) ? [messageId] : []));
    if (ids.length === 0) return excerpts;
    const whole = await readFound(database, { userId, ids, most: wholeText });
    return new Map([...excerpts, ...(await excerptsIn(whole, lexemes))]);
  }

  async function excerptsIn(rows: FoundRow[], lexemes: string[]) {
    const read = rows.map((row) => ({ row, words: possibleWords(row.content, lexemes) }));
    const possible = new Set(read.flatMap(({ words }) => words.map(({ form }) => form)));
    const forms = possible.size === 0 ? possible : await findForms(database, Array.from(possible).slice(0, mostForms), lexemes);
    const excerpts = new Map<string, FoundMessage["excerpt"]>();
    for (const { row, words } of read) {
      const found = words.filter(({ form }) => forms.has(form));
      const excerpt = excerptAround(row.content, found, row.isCut);
      if (excerpt) excerpts.set(row.messageId, excerpt);
    }
    return excerpts;
  }

  return {
    /** Words, as a search engine takes them, in what this person may read; the newest first. */
    async search({ userId }: Actor, input: SearchMessages): Promise<SearchPage> {
      const { text, conversationId = null, cursor = lastId, limit = perPage } = input;
      if (!cursorPattern.test(cursor)) throw foreignCursor();
      const { query, indexable, conversations, messages } = await planSearch(database, {
        userId,
        conversationId,
        text: withFewDashes(text),
      });
      if (conversationId !== null && conversations === 0) throw noConversation();
      const lexemes = Array.from(indexable.matchAll(/'([^']+)'/g), ([, lexeme = ""]) => lexeme);
      if (lexemes.length === 0) return { items: [], nextCursor: null };

      const ids = await find({ userId, conversationId, query, before: cursor, limit: limit + 1 }, messages);
      const rows = await readFound(database, { userId, ids: ids.slice(0, limit), most: beginning });
      const excerpts = await excerptsOf(userId, rows, lexemes);
      return {
        items: rows.map((row) => toFound(row, excerpts.get(row.messageId) ?? excerptFromStart(row.content, row.isCut))),
        nextCursor: ids.length > limit ? (ids[limit - 1] ?? null) : null,
      };
    },
  };
}

function withFewDashes(text: string): string {
  let dashes = 0;
  return text.replace(/-/g, () => (++dashes > mostDashes ? " " : "-"));
}

function toFound(row: FoundRow, excerpt: FoundMessage["excerpt"]): FoundMessage {
  const { messageId, conversationId, conversationTitle, role, authorId, authorName, createdAt } = row;
  const author = toPerson(authorId, authorName);
  return { messageId, conversationId, conversationTitle, role, author, createdAt: readInstant(createdAt), excerpt };
}
