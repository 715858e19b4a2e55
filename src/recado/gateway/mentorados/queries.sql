-- add_mentorado --
INSERT INTO mentorados (id, name) VALUES (%(id)s, %(name)s) RETURNING id, name, created_at

-- add_stream_head --
INSERT INTO stream_heads (mentorado_id) VALUES (%(id)s)

-- find_mentorado --
SELECT id, name, created_at FROM mentorados WHERE id = %(id)s

-- list_mentorados --
SELECT id, name, created_at FROM mentorados
WHERE %(after)s::uuid IS NULL OR (created_at, id) > (SELECT created_at, id FROM mentorados WHERE id = %(after)s)
ORDER BY created_at, id LIMIT %(limit)s

-- save_name --
UPDATE mentorados SET name = %(name)s WHERE id = %(id)s RETURNING id, name, created_at

-- add_api_key --
INSERT INTO api_keys (mentorado_id, name, prefix, hash, scopes, expires_at)
VALUES (%(mentorado_id)s, %(name)s, %(prefix)s, %(hash)s, %(scopes)s, %(expires_at)s)
RETURNING id, mentorado_id, name, prefix, scopes, created_at, revoked_at, expires_at, replaced_by,
       last_used_at

-- list_api_keys --
SELECT id, mentorado_id, name, prefix, scopes, created_at, revoked_at, expires_at, replaced_by,
       last_used_at FROM api_keys
WHERE %(mentorado_id)s::uuid IS NULL OR mentorado_id = %(mentorado_id)s
ORDER BY created_at, id

-- list_admin_keys --
SELECT id, mentorado_id, name, prefix, scopes, created_at, revoked_at, expires_at, replaced_by,
       last_used_at FROM api_keys WHERE mentorado_id IS NULL ORDER BY created_at, id

-- find_key --
SELECT id, mentorado_id, name, prefix, scopes, created_at, revoked_at, expires_at, replaced_by,
       last_used_at FROM api_keys WHERE id = %(id)s

-- revoke_api_key --
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = %(id)s
RETURNING id, mentorado_id, name, prefix, scopes, created_at, revoked_at, expires_at, replaced_by,
       last_used_at

-- replace_api_key --
-- The one before works a while longer, never longer than it would have.
UPDATE api_keys SET replaced_by = %(by)s, expires_at = least(expires_at, %(until)s) WHERE id = %(id)s
RETURNING id, mentorado_id, name, prefix, scopes, created_at, revoked_at, expires_at, replaced_by,
       last_used_at

-- note_used --
UPDATE api_keys SET last_used_at = now() WHERE id = %(id)s

-- find_api_key --
SELECT id, mentorado_id, hash, scopes, is_long_unused FROM find_api_key(%(prefix)s)

-- lock_admin_keys --
SELECT pg_advisory_xact_lock(hashtextextended('recado admin keys', 0))

-- has_prefix --
SELECT EXISTS (SELECT FROM api_keys WHERE prefix = %(prefix)s)

-- has_admin_key --
SELECT EXISTS (SELECT FROM api_keys WHERE mentorado_id IS NULL AND revoked_at IS NULL
                                      AND (expires_at IS NULL OR expires_at > now()))
