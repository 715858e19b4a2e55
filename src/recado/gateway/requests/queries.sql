-- What was asked of WhatsApp, and the answers.

-- add_request --
-- Nothing comes back when the idempotency key is there already.
INSERT INTO requests (provider, verb, chat, body, scope, due_at, asked_by, asked_at, idempotency_key, request_hash)
VALUES (%(provider)s, %(verb)s, %(chat)s, %(body)s, %(scope)s, %(now)s, %(asked_by)s, %(now)s, %(idempotency_key)s,
        %(request_hash)s)
ON CONFLICT (mentorado_id, idempotency_key) DO NOTHING
RETURNING id, provider, verb, chat, body, scope, state, answer, code, problem, attempts, asked_at, answered_at,
          request_hash

-- find_request --
SELECT id, provider, verb, chat, body, scope, state, answer, code, problem, attempts, asked_at, answered_at,
       request_hash
FROM requests WHERE id = %(id)s OR idempotency_key = %(idempotency_key)s LIMIT 1

-- list_due --
-- The first of each target: a chat; for what is asked of none, and for labels, the family of the verb. One that is put
-- off holds up its own; one that is for later does not.
WITH open AS (
    SELECT id, provider, verb, chat, body, scope, state, answer, code, problem, attempts, asked_at, answered_at,
           request_hash, seq, due_at,
           CASE WHEN chat = '' OR verb LIKE 'label.%%' THEN split_part(verb, '.', 1) ELSE chat END AS target
    FROM requests WHERE provider = %(provider)s AND answered_at IS NULL AND (due_at <= %(now)s OR attempts > 0)
), first AS (
    SELECT DISTINCT ON (target) * FROM open ORDER BY target, seq
)
SELECT id, provider, verb, chat, body, scope, state, answer, code, problem, attempts, asked_at, answered_at,
       request_hash
FROM first WHERE due_at <= %(now)s AND id <> ALL (%(flying)s::uuid[]) ORDER BY seq LIMIT %(most)s

-- save_start --
UPDATE requests SET state = 'started', attempts = attempts + 1 WHERE id = %(id)s

-- put_off --
UPDATE requests SET due_at = %(due_at)s, attempts = attempts + 1, state = 'queued' WHERE id = %(id)s

-- save_answer --
UPDATE requests SET state = %(state)s, answer = %(answer)s, code = %(code)s, problem = %(problem)s,
                    answered_at = %(now)s, body = '{}'
WHERE id = %(id)s AND answered_at IS NULL
