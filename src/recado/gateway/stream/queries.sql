-- add_events --
-- The lock on the head is held to the end of the transaction: numbers are in the order of commits.
WITH head AS (
    UPDATE stream_heads SET seq = seq + %(count)s RETURNING seq - %(count)s AS before
)
INSERT INTO events (seq, provider, kind, body, raw, at)
SELECT head.before + given.place, %(provider)s, given.kind, given.body::jsonb, given.raw, given.at
FROM head, unnest(%(kinds)s::text[], %(bodies)s::text[], %(raws)s::bytea[], %(ats)s::timestamptz[])
    WITH ORDINALITY AS given (kind, body, raw, at, place)

-- list_events --
SELECT seq, provider, kind, body, at FROM events WHERE seq > %(after)s ORDER BY seq LIMIT %(limit)s

-- list_events_like --
SELECT seq, provider, kind, body, at FROM events
WHERE seq > %(after)s AND kind LIKE ANY (%(like)s::text[]) ORDER BY seq LIMIT %(limit)s

-- list_recorded --
SELECT seq, kind, body, raw FROM events
WHERE seq > %(after)s AND provider = %(provider)s AND kind = ANY (%(kinds)s)
ORDER BY seq LIMIT %(limit)s

-- last_recorded --
SELECT seq FROM events WHERE provider = %(provider)s AND kind = ANY (%(kinds)s) ORDER BY seq DESC LIMIT 1

-- get_head --
SELECT seq FROM stream_heads
