-- list_connections --
SELECT mentorado_id, provider, desired, generation, shown_state(c) AS state, state_at, reason, retry_at, account_phone,
       account_lid, push_name, step_kind, step_expires_at, link_phone, history_progress, history_at, created_at, updated_at
FROM connections c ORDER BY mentorado_id, provider

-- find_connection --
SELECT mentorado_id, provider, desired, generation, shown_state(c) AS state, state_at, reason, retry_at, account_phone,
       account_lid, push_name, step_kind, step_expires_at, link_phone, history_progress, history_at, created_at, updated_at
FROM connections c WHERE provider = %(provider)s

-- save_desired --
-- A person asks: a state only a person can end is ended, and whoever runs the connection starts afresh.
INSERT INTO connections AS c (provider, desired, generation, state, link_phone)
VALUES (%(provider)s, %(desired)s, 1, %(state)s, %(link_phone)s)
ON CONFLICT (mentorado_id, provider) DO UPDATE
SET desired = excluded.desired, link_phone = excluded.link_phone, generation = c.generation + 1, updated_at = now(),
    state = CASE WHEN excluded.desired = 'connected' AND c.state <> 'connected' THEN excluded.state ELSE c.state END,
    state_at = CASE WHEN excluded.desired = 'connected' AND c.state <> 'connected' THEN now() ELSE c.state_at END,
    reason = CASE WHEN excluded.desired = 'connected' AND c.state <> 'connected' THEN NULL ELSE c.reason END,
    retry_at = CASE WHEN excluded.desired = 'connected' AND c.state <> 'connected' THEN NULL ELSE c.retry_at END
RETURNING mentorado_id, provider, desired, generation, state, state_at, reason, retry_at, account_phone, account_lid,
          push_name, step_kind, step_expires_at, link_phone, history_progress, history_at, created_at, updated_at

-- settle_desired --
-- What was wanted is done, unless a person asked for something else meanwhile.
UPDATE connections SET desired = 'disconnected', updated_at = now()
WHERE provider = %(provider)s AND generation = %(generation)s

-- save_state --
UPDATE connections
SET state = %(state)s, reason = %(reason)s, retry_at = %(retry_at)s,
    state_at = CASE WHEN state = %(state)s THEN state_at ELSE now() END,
    step_kind = CASE WHEN %(state)s IN ('qr', 'code', 'passkey', 'held') THEN step_kind END,
    step = CASE WHEN %(state)s IN ('qr', 'code', 'passkey', 'held') THEN step END,
    step_expires_at = CASE WHEN %(state)s IN ('qr', 'code', 'passkey', 'held') THEN step_expires_at END,
    step_answer = CASE WHEN %(state)s IN ('qr', 'code', 'passkey', 'held') THEN step_answer END,
    linked_at = CASE WHEN %(state)s = 'connected' THEN coalesce(linked_at, now()) ELSE linked_at END,
    updated_at = now()
WHERE provider = %(provider)s

-- save_history --
UPDATE connections
SET history_progress = greatest(history_progress, %(progress)s), history_at = %(at)s, updated_at = now()
WHERE provider = %(provider)s

-- save_step --
UPDATE connections
SET history_progress = NULL, history_at = NULL, state = %(kind)s, state_at = CASE WHEN state = %(kind)s THEN state_at ELSE now() END, reason = NULL,
    step_kind = %(kind)s, step = %(step)s, step_expires_at = %(expires_at)s, step_answer = NULL, linked_at = NULL, updated_at = now()
WHERE provider = %(provider)s

-- find_step --
SELECT step FROM connections WHERE provider = %(provider)s AND step_expires_at > now()

-- save_answer --
UPDATE connections SET step_answer = %(answer)s, updated_at = now()
WHERE provider = %(provider)s AND step_kind = %(kind)s AND step_expires_at > now() AND step_answer IS NULL
RETURNING true

-- claim_answer --
WITH found AS (
    SELECT mentorado_id, provider, step_answer FROM connections
    WHERE provider = %(provider)s AND step_answer IS NOT NULL FOR UPDATE
)
UPDATE connections c SET step_answer = NULL FROM found f
WHERE (c.mentorado_id, c.provider) = (f.mentorado_id, f.provider)
RETURNING f.step_answer

-- save_account --
UPDATE connections
SET account_phone = %(phone)s, account_lid = coalesce(%(lid)s, account_lid),
    push_name = coalesce(%(push_name)s, push_name), updated_at = now()
WHERE provider = %(provider)s

-- forget_account --
UPDATE connections SET account_phone = NULL, account_lid = NULL, push_name = NULL, updated_at = now()
WHERE provider = %(provider)s

-- find_pin --
SELECT pin FROM provider_choices

-- save_pin --
INSERT INTO provider_choices (pin) VALUES (%(pin)s)
ON CONFLICT (mentorado_id) DO UPDATE SET pin = excluded.pin, updated_at = now()
