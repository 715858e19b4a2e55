-- Endpoints that are claimed, what is told to them, and what came of it.

-- scan --
SELECT mentorado_id, endpoint_id, is_slow FROM scan_webhooks(%(at)s, %(most_quick)s, %(most_slow)s)

-- next_at --
SELECT next_webhook_at(%(at)s)

-- claim --
-- One worker has it until the time runs out, by the database's clock; the epoch tells its settlements from those of a
-- worker that had it before.
UPDATE webhook_endpoints e
SET claimed_by = %(worker)s, claimed_until = clock_timestamp() + %(claim)s, claim_epoch = e.claim_epoch + 1,
    turn_at = clock_timestamp()
FROM (SELECT id FROM webhook_endpoints
      WHERE id = %(id)s AND state = 'active' AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
      FOR UPDATE SKIP LOCKED) AS free
WHERE e.id = free.id
RETURNING e.id, e.url, e.kinds, e.cursor_seq, e.attempt, e.failures, e.failing_since, e.is_slow, e.has_redrive,
          e.revision, e.claim_epoch AS epoch

-- keep --
UPDATE webhook_endpoints SET claimed_until = clock_timestamp() + %(claim)s
WHERE id = %(id)s AND claimed_by = %(worker)s AND claim_epoch = %(epoch)s RETURNING revision

-- release --
UPDATE webhook_endpoints SET claimed_by = NULL, claimed_until = NULL
WHERE id = %(id)s AND claimed_by = %(worker)s AND claim_epoch = %(epoch)s

-- window_end --
-- The last event of those that are looked at together.
SELECT max(seq) FROM (SELECT seq FROM events WHERE seq > %(after)s ORDER BY seq LIMIT %(limit)s) AS ahead

-- list_wanted --
SELECT seq, provider, kind, body, at FROM events
WHERE seq > %(after)s AND seq <= %(until)s AND (%(like)s::text[] IS NULL OR kind LIKE ANY (%(like)s::text[]))
ORDER BY seq LIMIT %(limit)s

-- list_redriven --
SELECT e.seq, e.provider, e.kind, e.body, e.at FROM webhook_dead_letters d JOIN events e ON e.seq = d.seq
WHERE d.endpoint_id = %(id)s AND d.is_redriving ORDER BY e.seq LIMIT %(limit)s

-- end_redrive --
UPDATE webhook_endpoints e SET has_redrive = false
WHERE id = %(id)s AND claimed_by = %(worker)s AND claim_epoch = %(epoch)s AND revision = %(revision)s

-- settle_delivered --
-- Only behind where it stood: a person may have moved the cursor meanwhile.
UPDATE webhook_endpoints
SET cursor_seq = %(seq)s, attempt = 0, next_attempt_at = NULL, failures = 0, failing_since = NULL,
    is_slow = %(is_slow)s, claimed_until = clock_timestamp() + %(claim)s
WHERE id = %(id)s AND claimed_by = %(worker)s AND claim_epoch = %(epoch)s AND cursor_seq = %(before)s
RETURNING revision

-- settle_skipped --
UPDATE webhook_endpoints
SET cursor_seq = %(seq)s, attempt = 0, next_attempt_at = NULL, claimed_until = clock_timestamp() + %(claim)s
WHERE id = %(id)s AND claimed_by = %(worker)s AND claim_epoch = %(epoch)s AND cursor_seq = %(before)s
RETURNING revision

-- settle_failed --
UPDATE webhook_endpoints
SET attempt = %(attempt)s, next_attempt_at = %(next_at)s, failures = failures + 1,
    failing_since = coalesce(failing_since, %(now)s), is_slow = %(is_slow)s,
    claimed_by = NULL, claimed_until = NULL
WHERE id = %(id)s AND claimed_by = %(worker)s AND claim_epoch = %(epoch)s AND cursor_seq = %(before)s
  AND revision = %(revision)s
RETURNING revision

-- settle_dead --
WITH settled AS (
    UPDATE webhook_endpoints
    SET cursor_seq = %(seq)s, attempt = 0, next_attempt_at = NULL, failures = failures + 1,
        failing_since = coalesce(failing_since, %(now)s), is_slow = %(is_slow)s,
        claimed_until = clock_timestamp() + %(claim)s
    WHERE id = %(id)s AND claimed_by = %(worker)s AND claim_epoch = %(epoch)s AND cursor_seq = %(before)s
      AND revision = %(revision)s
    RETURNING id, revision
), dead AS (
    INSERT INTO webhook_dead_letters (endpoint_id, seq, attempts, status, error, died_at)
    SELECT id, %(seq)s, %(attempt)s, %(status)s, %(error)s, %(now)s FROM settled
    ON CONFLICT (mentorado_id, endpoint_id, seq) DO UPDATE
    SET attempts = excluded.attempts, status = excluded.status, error = excluded.error, died_at = excluded.died_at,
        is_redriving = false
)
SELECT revision FROM settled

-- settle_disabled --
UPDATE webhook_endpoints
SET state = 'disabled', state_reason = %(why)s, attempt = %(attempt)s, next_attempt_at = NULL,
    failures = failures + 1, failing_since = coalesce(failing_since, %(now)s),
    claimed_by = NULL, claimed_until = NULL
WHERE id = %(id)s AND claimed_by = %(worker)s AND claim_epoch = %(epoch)s AND revision = %(revision)s
RETURNING revision

-- remove_letter --
DELETE FROM webhook_dead_letters WHERE endpoint_id = %(id)s AND seq = %(seq)s

-- bury_letter --
UPDATE webhook_dead_letters
SET attempts = attempts + 1, status = %(status)s, error = %(error)s, died_at = %(now)s, is_redriving = false
WHERE endpoint_id = %(id)s AND seq = %(seq)s

-- bury_lost_letters --
-- Their events are no longer kept: they cannot go again.
UPDATE webhook_dead_letters d SET is_redriving = false, error = 'the event is no longer kept'
WHERE d.endpoint_id = %(id)s AND d.is_redriving AND NOT EXISTS (SELECT FROM events e WHERE e.seq = d.seq)
