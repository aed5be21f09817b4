-- Full-text search in the scripts that the product speaks. The 'russian' configuration stems Latin words as English
-- and Cyrillic ones as Russian; Arabic has a stemmer of its own; Hebrew has none, so its words are kept as they are and
-- once more without the letters that are written onto a word (and, the, in, as, to, from, that).
-- Marks become spaces before Postgres reads the text: its parser looks for addresses, paths and compounds in them, in a time
-- that grows with the square of their length. Only what a question is written with (quotes, and a dash before a word) stays.
CREATE FUNCTION parley_fold(content text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT translate(
    regexp_replace(regexp_replace(regexp_replace(left(content, 200000), '[!#-,./:-@\[-`{-~]|-(?=\S*-)|(?<=\S)-', ' ', 'g'), '[\u0591-\u05BD\u05BF-\u05C7\u0640\u064B-\u065F\u0670]', '', 'g'), '\u05BE', ' ', 'g'),
    'أإآٱىة', 'اااايه')
$$;
--> statement-breakpoint
CREATE FUNCTION parley_bare_hebrew(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT regexp_replace(words, '(^|\s)[והבכלמש]{1,2}([א-ת]{3,})', '\1\2', 'g')
$$;
--> statement-breakpoint
CREATE FUNCTION parley_search_vector(content text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT SET search_path FROM CURRENT AS $$
DECLARE
  folded text := parley_fold(content);
  words text;
  vector tsvector := to_tsvector('pg_catalog.russian', regexp_replace(folded, '[\u0590-\u06FF]+', ' ', 'g'));
BEGIN
  IF folded ~ '[\u0600-\u06FF]' THEN
    vector := vector || to_tsvector('pg_catalog.arabic', regexp_replace(folded, '[^\u0600-\u06FF]+', ' ', 'g'));
  END IF;
  IF folded ~ '[\u0590-\u05FF]' THEN
    words := regexp_replace(folded, '[^\u0590-\u05FF]+', ' ', 'g');
    vector := vector || to_tsvector('pg_catalog.simple', words) || to_tsvector('pg_catalog.simple', parley_bare_hebrew(words));
  END IF;
  RETURN vector;
END
$$;
--> statement-breakpoint
CREATE FUNCTION parley_search_query(question text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT SET search_path FROM CURRENT AS $$
DECLARE
  folded text := parley_fold(question);
  words text;
  wanted tsquery := websearch_to_tsquery('pg_catalog.russian', regexp_replace(folded, '[\u0590-\u06FF]+', ' ', 'g'));
BEGIN
  IF folded ~ '[\u0600-\u06FF]' THEN
    wanted := wanted && plainto_tsquery('pg_catalog.arabic', regexp_replace(folded, '[^\u0600-\u06FF]+', ' ', 'g'));
  END IF;
  IF folded ~ '[\u0590-\u05FF]' THEN
    words := regexp_replace(folded, '[^\u0590-\u05FF]+', ' ', 'g');
    wanted := wanted && (plainto_tsquery('pg_catalog.simple', words) || plainto_tsquery('pg_catalog.simple', parley_bare_hebrew(words)));
  END IF;
  RETURN wanted;
END
$$;
