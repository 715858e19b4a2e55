-- What waits to be sent on one connection, in order.

-- claim_next --
-- The oldest one that is not settled, whether it was tried before or not: the same message, with the same id.
WITH next AS (
    SELECT mentorado_id, id FROM outbox WHERE provider = %(provider)s AND settled_at IS NULL ORDER BY id LIMIT 1
), claimed AS (
    UPDATE outbox o SET state = 'on_wire', attempts = o.attempts + 1
    FROM next WHERE o.id = next.id AND o.due_at <= clock_timestamp()
    RETURNING o.id, o.conversation_id, o.chat, o.message_id, o.content, o.quoting, o.attempts
), shown AS (
    UPDATE whatsapp_messages m SET status = 'on_wire' FROM claimed c
    WHERE m.provider_message_id = c.message_id AND m.direction = 'out' AND m.status = 'queued'
)
SELECT * FROM claimed

-- next_due --
SELECT extract(epoch FROM due_at - clock_timestamp())::float8 FROM outbox
WHERE provider = %(provider)s AND settled_at IS NULL ORDER BY id LIMIT 1

-- put_off --
UPDATE outbox SET due_at = clock_timestamp() + %(pause)s, error = %(error)s, attempts = %(attempts)s
WHERE id = %(id)s AND settled_at IS NULL

-- settle --
WITH settled AS (
    UPDATE outbox SET state = greatest(state, %(state)s::message_status), error = %(error)s, settled_at = now()
    WHERE id = %(id)s AND settled_at IS NULL
    RETURNING message_id
)
UPDATE whatsapp_messages m SET status = %(state)s::message_status, failure = %(error)s
FROM settled s WHERE m.provider_message_id = s.message_id AND m.direction = 'out' AND m.status < %(state)s::message_status
