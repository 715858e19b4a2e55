-- A mentorado's endpoints, the attempts made at them, and what they never took.

-- add_endpoint --
INSERT INTO webhook_endpoints (id, name, url, kinds, secret, cursor_seq)
VALUES (%(id)s, %(name)s, %(url)s, %(kinds)s, %(secret)s, %(cursor_seq)s)
RETURNING id, name, url, kinds, state, state_reason, cursor_seq, attempt, next_attempt_at, failures, failing_since,
          old_secret_until, created_at

-- count_endpoints --
SELECT count(*) FROM webhook_endpoints

-- list_endpoints --
SELECT id, name, url, kinds, state, state_reason, cursor_seq, attempt, next_attempt_at, failures, failing_since,
       old_secret_until, created_at
FROM webhook_endpoints ORDER BY created_at, id

-- find_endpoint --
SELECT id, name, url, kinds, state, state_reason, cursor_seq, attempt, next_attempt_at, failures, failing_since,
       old_secret_until, created_at
FROM webhook_endpoints WHERE id = %(id)s

-- find_secrets --
SELECT secret, old_secret, old_secret_until FROM webhook_endpoints WHERE id = %(id)s

-- save_endpoint --
UPDATE webhook_endpoints
SET name = coalesce(%(name)s::text, name), url = coalesce(%(url)s::text, url), kinds = coalesce(%(kinds)s::text[], kinds),
    next_attempt_at = CASE WHEN %(url)s::text IS NULL THEN next_attempt_at END, revision = revision + 1
WHERE id = %(id)s

-- save_state --
-- Whoever says so starts over: what failed before counts no longer.
UPDATE webhook_endpoints
SET state = %(state)s, state_reason = NULL, attempt = 0, next_attempt_at = NULL, failures = 0, failing_since = NULL,
    revision = revision + 1
WHERE id = %(id)s

-- save_secret --
UPDATE webhook_endpoints
SET old_secret = secret, old_secret_until = %(until)s, secret = %(secret)s, revision = revision + 1
WHERE id = %(id)s

-- save_cursor --
UPDATE webhook_endpoints
SET cursor_seq = %(cursor_seq)s, attempt = 0, next_attempt_at = NULL, revision = revision + 1
WHERE id = %(id)s

-- hold_endpoint --
-- Until the unit ends nobody adds to what hangs on it.
SELECT id FROM webhook_endpoints WHERE id = %(id)s FOR UPDATE

-- remove_all_attempts --
DELETE FROM webhook_attempts WHERE endpoint_id = %(id)s

-- remove_dead_letters --
DELETE FROM webhook_dead_letters WHERE endpoint_id = %(id)s

-- remove_endpoint --
DELETE FROM webhook_endpoints WHERE id = %(id)s

-- add_attempt --
INSERT INTO webhook_attempts (endpoint_id, seq, attempt, at, status, milliseconds, error)
SELECT id, %(seq)s, %(attempt)s, %(at)s, %(status)s, %(milliseconds)s, %(error)s
FROM webhook_endpoints WHERE id = %(endpoint_id)s

-- list_attempts --
SELECT id, seq, attempt, at, status, milliseconds, error FROM webhook_attempts
WHERE endpoint_id = %(endpoint_id)s AND id < coalesce(%(before)s, 9223372036854775807)
ORDER BY id DESC LIMIT %(limit)s

-- list_attempts_for_events --
SELECT a.endpoint_id, e.name AS endpoint_name, a.seq, a.attempt, a.at, a.status, a.error
FROM webhook_attempts a JOIN webhook_endpoints e ON e.id = a.endpoint_id
WHERE a.seq = ANY (%(seqs)s::bigint[])
ORDER BY a.id

-- remove_attempts --
DELETE FROM webhook_attempts
WHERE id IN (SELECT id FROM webhook_attempts
             WHERE endpoint_id = %(endpoint_id)s AND at < %(before)s ORDER BY id LIMIT %(limit)s)

-- list_dead_letters --
SELECT d.seq, e.kind, d.attempts, d.status, d.error, d.died_at, d.is_redriving
FROM webhook_dead_letters d LEFT JOIN events e ON e.seq = d.seq
WHERE d.endpoint_id = %(endpoint_id)s AND d.seq > %(after)s
ORDER BY d.seq LIMIT %(limit)s

-- redrive_dead_letters --
WITH marked AS (
    UPDATE webhook_dead_letters SET is_redriving = true
    WHERE endpoint_id = %(endpoint_id)s AND (%(seqs)s::bigint[] IS NULL OR seq = ANY (%(seqs)s::bigint[]))
    RETURNING seq
), due AS (
    UPDATE webhook_endpoints SET has_redrive = true, next_attempt_at = NULL, revision = revision + 1
    WHERE id = %(endpoint_id)s AND EXISTS (SELECT FROM marked)
)
SELECT count(*) FROM marked
