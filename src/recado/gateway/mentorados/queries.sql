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
INSERT INTO api_keys (mentorado_id, name, prefix, hash, scopes)
VALUES (%(mentorado_id)s, %(name)s, %(prefix)s, %(hash)s, %(scopes)s)
RETURNING id, mentorado_id, name, prefix, scopes, created_at, revoked_at

-- list_api_keys --
SELECT id, mentorado_id, name, prefix, scopes, created_at, revoked_at FROM api_keys
WHERE %(mentorado_id)s::uuid IS NULL OR mentorado_id = %(mentorado_id)s
ORDER BY created_at, id

-- revoke_api_key --
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = %(id)s
RETURNING id, mentorado_id, name, prefix, scopes, created_at, revoked_at

-- find_api_key --
SELECT id, mentorado_id, hash, scopes FROM find_api_key(%(prefix)s)

-- has_admin_key --
SELECT EXISTS (SELECT FROM api_keys WHERE mentorado_id IS NULL AND revoked_at IS NULL)
