-- read_values --
SELECT key, value FROM baileys_sessions WHERE key = ANY (%(keys)s)

-- scan_keys --
-- The end of the range is the highest code point: the column is compared by bytes.
SELECT DISTINCT s.key
FROM unnest(%(prefixes)s::text[]) AS wanted(prefix)
JOIN baileys_sessions AS s ON s.key >= wanted.prefix AND s.key < wanted.prefix || chr(1114111)
ORDER BY s.key

-- save_values --
-- The key these are sealed with is held to the end of the unit; when there is a newer one, the unit ends (RC010).
INSERT INTO baileys_sessions (key, value, key_id, expires_at)
SELECT key, value, %(key_id)s, expires_at
FROM check_data_key(%(key_id)s) AS held
CROSS JOIN unnest(%(keys)s::text[], %(values)s::bytea[], %(expires)s::timestamptz[]) AS given (key, value, expires_at)
ON CONFLICT (mentorado_id, key) DO UPDATE
SET value = excluded.value, key_id = excluded.key_id, expires_at = excluded.expires_at, updated_at = now()

-- delete_values --
DELETE FROM baileys_sessions WHERE key = ANY (%(keys)s)

-- purge_values --
WITH purged AS (DELETE FROM baileys_sessions WHERE expires_at <= %(now)s RETURNING key)
SELECT count(*) FROM purged

-- purge_some --
DELETE FROM baileys_sessions WHERE key IN (SELECT key FROM baileys_sessions WHERE expires_at <= now() LIMIT 2000)
