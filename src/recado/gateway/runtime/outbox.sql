-- What waits to be sent on one connection. A conversation keeps its order; different ones go side by side.

-- list_due --
-- The oldest ones that may be asked about now, locked: whoever calls one back waits, and then finds it gone. One waits
-- for those before it in its conversation, but not for what is to be sent later, and what a person writes does not wait
-- for what the rules hold back from a program.
SELECT o.id, o.conversation_id, o.chat, o.message_id, o.content, o.quoting, o.attempts, o.may_have_left, o.origin,
       o.campaign_id, o.held_by, o.forwarded, o.expires_in
FROM outbox o
WHERE o.provider = %(provider)s AND o.settled_at IS NULL AND o.due_at <= %(now)s
  AND o.id <> ALL (%(flying)s::bigint[]) AND o.origin <> ALL (%(resting)s::text[])
  AND NOT EXISTS (
      SELECT FROM outbox e
      WHERE e.conversation_id = o.conversation_id AND e.provider = o.provider AND e.settled_at IS NULL AND e.id < o.id
        AND (e.send_at IS NULL OR e.send_at <= %(now)s)
        AND NOT (o.origin = 'person' AND e.origin <> 'person' AND e.state = 'queued'
                 AND (e.held_by IS NOT NULL AND e.due_at > %(now)s OR e.origin = ANY (%(resting)s::text[]))))
ORDER BY o.id LIMIT %(most)s
FOR UPDATE OF o

-- glance --
-- When the next one is due, and whether there is an errand to run, or a request to be answered.
SELECT (SELECT min(due_at) FROM outbox
        WHERE provider = %(provider)s AND settled_at IS NULL AND due_at > %(now)s AND id <> ALL (%(flying)s::bigint[])),
       EXISTS (SELECT FROM errands WHERE provider = %(provider)s AND due_at <= %(now)s),
       EXISTS (SELECT FROM requests WHERE provider = %(provider)s AND answered_at IS NULL AND due_at <= %(now)s)

-- claim --
WITH before AS (
    SELECT id, state FROM outbox WHERE id = ANY (%(ids)s)
), claimed AS (
    UPDATE outbox o SET state = greatest(o.state, 'on_wire'), attempts = o.attempts + 1, may_have_left = true,
                        held_by = NULL
    FROM before WHERE o.id = before.id
    RETURNING o.id, o.message_id, o.conversation_id, before.state = 'queued' AS is_first
), shown AS (
    UPDATE whatsapp_messages m SET status = 'on_wire' FROM claimed c
    WHERE m.provider_message_id = c.message_id AND m.conversation_id = c.conversation_id AND m.direction = 'out'
      AND m.status = 'queued'
)
INSERT INTO message_steps (message_id, at, step, worker_id)
SELECT message_id, %(now)s, CASE WHEN is_first THEN 'claimed' ELSE 'retried' END, %(worker)s FROM claimed ORDER BY id

-- list_told --
-- Of which of these messages was it told that this rule holds them? That shorter ones of its holds were not told counts.
SELECT DISTINCT s.message_id
FROM unnest(%(ids)s::text[], %(rules)s::text[]) AS given (id, rule)
JOIN message_steps s ON s.message_id = given.id AND s.rule = given.rule
WHERE s.step = 'held' AND s.until - s.at >= %(short)s

-- hold --
WITH held AS (
    UPDATE outbox o SET due_at = given.until, held_by = given.rule, error = given.why
    FROM unnest(%(ids)s::bigint[], %(rules)s::text[], %(whys)s::text[], %(untils)s::timestamptz[])
        AS given (id, rule, why, until)
    WHERE o.id = given.id
    RETURNING o.message_id, given.rule, given.why, given.until
)
INSERT INTO message_steps (message_id, at, step, worker_id, rule, detail, until)
SELECT message_id, %(now)s, 'held', %(worker)s, rule, why, until FROM held

-- put_off --
WITH put AS (
    UPDATE outbox SET due_at = %(due_at)s, error = %(error)s, attempts = %(attempts)s, may_have_left = %(may_have_left)s
    WHERE id = %(id)s AND settled_at IS NULL
    RETURNING message_id
)
INSERT INTO message_steps (message_id, at, step, worker_id, detail, until)
SELECT message_id, %(now)s, 'put_off', %(worker)s, %(error)s, %(due_at)s FROM put

-- settle --
-- The fate of some; those come back that had none yet.
WITH settled AS (
    UPDATE outbox o SET state = greatest(o.state, given.state::message_status), error = given.reason, held_by = NULL,
                        settled_at = %(now)s
    FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(steps)s::text[], %(reasons)s::text[], %(rules)s::text[],
                %(untils)s::timestamptz[]) AS given (id, state, step, reason, rule, until)
    WHERE o.id = given.id AND o.settled_at IS NULL
    RETURNING o.message_id, o.conversation_id, given.state, given.step, given.reason, given.rule, given.until
), shown AS (
    UPDATE whatsapp_messages m
    SET status = s.state::message_status, failure = s.reason, sent_at = least(m.sent_at, %(now)s)
    FROM settled s
    WHERE m.provider_message_id = s.message_id AND m.conversation_id = s.conversation_id AND m.direction = 'out'
      AND m.status < s.state::message_status
)
INSERT INTO message_steps (message_id, at, step, worker_id, rule, detail, until)
SELECT message_id, %(now)s, step, %(worker)s, rule, reason, until FROM settled
RETURNING message_id
