-- page_rows --
SELECT key, value, expires_at FROM baileys_sessions WHERE key > %(after)s ORDER BY key LIMIT %(limit)s

-- list_keys --
SELECT key FROM baileys_sessions ORDER BY key

-- save_rows --
INSERT INTO baileys_sessions (key, value, key_id, expires_at)
SELECT key, value, %(key_id)s, expires_at
FROM unnest(%(keys)s::text[], %(values)s::bytea[], %(expires)s::timestamptz[]) AS given (key, value, expires_at)
ON CONFLICT (mentorado_id, key) DO UPDATE
SET value = excluded.value, key_id = excluded.key_id, expires_at = excluded.expires_at, updated_at = now()

-- add_under_way --
-- What an interrupted step wanted back is still wanted back.
INSERT INTO operations_under_way AS o (provider, kind, actor, wanted, generation)
VALUES (%(provider)s, %(kind)s, %(actor)s, %(wanted)s, %(generation)s)
ON CONFLICT (mentorado_id, provider) DO UPDATE
SET kind = excluded.kind, actor = excluded.actor, generation = excluded.generation, started_at = now(),
    wanted = CASE WHEN excluded.wanted = 'disconnected' THEN o.wanted ELSE excluded.wanted END

-- delete_under_way --
DELETE FROM operations_under_way WHERE provider = %(provider)s

-- find_under_way --
SELECT kind, actor, wanted, generation, started_at FROM operations_under_way WHERE provider = %(provider)s

-- count_troubled --
SELECT wanted, troubled FROM count_troubled()

-- count_live_workers --
SELECT count(*) FROM workers WHERE expires_at > clock_timestamp() AND name <> %(but)s

-- is_run --
SELECT EXISTS (SELECT FROM leases l JOIN workers w ON w.id = l.worker_id
               WHERE l.provider = %(provider)s AND w.expires_at > clock_timestamp() AND w.name <> %(but)s)

-- add_mentorado_again --
INSERT INTO mentorados (id, name) VALUES (%(id)s, %(name)s) ON CONFLICT DO NOTHING

-- add_stream_head_again --
INSERT INTO stream_heads (mentorado_id) VALUES (%(id)s) ON CONFLICT DO NOTHING

-- find_mentorados --
SELECT id, name FROM mentorados
WHERE %(which)s::text IS NULL OR id::text = %(which)s OR name = %(which)s ORDER BY created_at, id
