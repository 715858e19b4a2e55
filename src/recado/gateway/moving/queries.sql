-- Plans that move people, how far each of them is, and what stands in the way.

-- find_mentorados --
SELECT id, name FROM mentorados WHERE id::text = ANY (%(named)s) OR name = ANY (%(named)s) ORDER BY created_at, id

-- add_move --
INSERT INTO moves (to_provider, options, made_by, made_at)
VALUES (%(to_provider)s, %(options)s, %(made_by)s, %(now)s)
RETURNING id, to_provider, options, made_by, made_at, approved_by, approved_at, confirmed_at

-- add_person --
INSERT INTO move_people (mentorado_id, move_id, position, from_provider, to_provider, test_to, options, report,
                         fingerprint, is_ready, state_at)
VALUES (%(mentorado_id)s, %(move_id)s, %(position)s, %(from_provider)s, %(to_provider)s, %(test_to)s, %(options)s,
        %(report)s, %(fingerprint)s, %(is_ready)s, %(now)s)

-- find_move --
SELECT id, to_provider, options, made_by, made_at, approved_by, approved_at, confirmed_at FROM moves WHERE id = %(id)s

-- lock_move --
SELECT id, to_provider, options, made_by, made_at, approved_by, approved_at, confirmed_at FROM moves WHERE id = %(id)s
FOR UPDATE

-- list_moves --
SELECT id, to_provider, options, made_by, made_at, approved_by, approved_at, confirmed_at FROM moves
ORDER BY made_at DESC, id LIMIT %(limit)s

-- list_people --
SELECT p.mentorado_id, p.move_id, p.position, p.from_provider, p.to_provider, p.test_to, p.options, p.report,
       p.fingerprint, p.is_ready, p.state, p.state_at, p.deadline, p.reason, p.pin_before, p.pin_after,
       p.wanted_before, p.test_message, p.carried_over,
       (SELECT name FROM mentorados m WHERE m.id = p.mentorado_id) AS name
FROM move_people p WHERE p.move_id = %(move_id)s ORDER BY p.position

-- claim_person --
-- Held to the unit's end; nothing comes back while another is at it.
SELECT p.mentorado_id, p.move_id, p.position, p.from_provider, p.to_provider, p.test_to, p.options, p.report,
       p.fingerprint, p.is_ready, p.state, p.state_at, p.deadline, p.reason, p.pin_before, p.pin_after,
       p.wanted_before, p.test_message, p.carried_over,
       (SELECT name FROM mentorados m WHERE m.id = p.mentorado_id) AS name
FROM move_people p WHERE p.move_id = %(move_id)s FOR UPDATE OF p SKIP LOCKED

-- lock_person --
SELECT p.mentorado_id, p.move_id, p.position, p.from_provider, p.to_provider, p.test_to, p.options, p.report,
       p.fingerprint, p.is_ready, p.state, p.state_at, p.deadline, p.reason, p.pin_before, p.pin_after,
       p.wanted_before, p.test_message, p.carried_over,
       (SELECT name FROM mentorados m WHERE m.id = p.mentorado_id) AS name
FROM move_people p WHERE p.move_id = %(move_id)s FOR UPDATE OF p

-- is_under_way --
-- Does another plan move one of those of this plan just now?
SELECT EXISTS (SELECT FROM move_people p JOIN move_people o USING (mentorado_id)
               WHERE p.move_id = %(move_id)s AND p.is_ready AND o.move_id <> %(move_id)s
                 AND o.state IN ('waiting', 'connecting', 'testing', 'settling', 'rolling_back', 'restoring'))

-- approve --
UPDATE moves SET approved_by = %(approved_by)s, approved_at = %(now)s,
                 confirmed_at = CASE WHEN %(at_once)s THEN %(now)s::timestamptz END
WHERE id = %(id)s

-- approve_people --
UPDATE move_people SET state = CASE WHEN is_ready THEN 'waiting' ELSE 'skipped' END, state_at = %(now)s
WHERE move_id = %(id)s AND state = 'planned'

-- confirm --
UPDATE moves SET confirmed_at = coalesce(confirmed_at, %(now)s) WHERE id = %(id)s

-- save_state --
UPDATE move_people SET state = %(state)s, state_at = %(now)s, deadline = %(deadline)s, reason = %(reason)s
WHERE move_id = %(move_id)s

-- save_before --
UPDATE move_people SET pin_before = %(pin)s, wanted_before = %(wanted)s WHERE move_id = %(move_id)s

-- save_test --
UPDATE move_people SET test_message = %(message_id)s WHERE move_id = %(move_id)s

-- save_switch --
UPDATE move_people SET pin_after = %(pin)s, carried_over = carried_over + %(carried)s WHERE move_id = %(move_id)s

-- save_carried --
UPDATE move_people SET carried_over = carried_over + %(carried)s WHERE move_id = %(move_id)s

-- scan_moves --
SELECT mentorado_id, move_id FROM scan_moves()

-- message_status --
SELECT status::text FROM whatsapp_messages WHERE provider_message_id = %(message_id)s AND direction = 'out'

-- count_windows --
-- Conversations whose other side wrote within a day: over the Cloud API, and over any road.
SELECT count(DISTINCT conversation_id) FILTER (WHERE provider = 'meta' AND source <> 'history'),
       count(DISTINCT conversation_id)
FROM whatsapp_messages WHERE direction = 'in' AND sent_at > %(since)s

-- count_unprompted --
-- Free words that went to who had not written within a day: what will want a template.
SELECT count(*), count(DISTINCT o.conversation_id) FROM whatsapp_messages o
WHERE o.direction = 'out' AND o.content_type <> 'template' AND o.source <> 'history' AND o.sent_at > %(since)s
  AND NOT EXISTS (SELECT FROM whatsapp_messages i
                  WHERE i.conversation_id = o.conversation_id AND i.direction = 'in'
                    AND i.sent_at BETWEEN o.sent_at - interval '24 hours' AND o.sent_at)

-- count_remote_media --
-- Files that only the provider that brought them has.
SELECT count(*) FROM whatsapp_messages
WHERE provider = %(provider)s AND content ->> 'reference' IS NOT NULL AND content ->> 'reference' NOT LIKE 'media:%%'

-- list_running_campaigns --
SELECT count(*) FROM campaigns WHERE state IN ('running', 'paused') AND provider = %(provider)s

-- count_outstanding --
-- What a road still has to settle, and how much of that may have left.
SELECT count(*), count(*) FILTER (WHERE may_have_left) FROM outbox WHERE provider = %(provider)s AND settled_at IS NULL

-- list_waiting --
-- What waits on a road and surely has not left, in the order in which it goes; held to the unit's end.
SELECT o.id, o.conversation_id, o.chat, o.content, o.send_at, o.campaign_id, p.phone, p.lid, p.bsuid,
       EXISTS (SELECT FROM outbox e WHERE e.conversation_id = o.conversation_id AND e.provider = o.provider
               AND e.settled_at IS NULL AND e.may_have_left AND e.id < o.id) AS is_behind,
       EXISTS (SELECT FROM whatsapp_messages m
               WHERE m.conversation_id = o.conversation_id AND m.direction = 'in' AND m.provider = 'meta'
                 AND m.source <> 'history' AND m.sent_at > %(window_since)s) AS is_open
FROM outbox o
JOIN conversations c ON c.id = o.conversation_id
LEFT JOIN whatsapp_contacts p ON p.id = c.contact_id
WHERE o.provider = %(provider)s AND o.settled_at IS NULL AND NOT o.may_have_left
ORDER BY o.id FOR UPDATE OF o

-- carry_over --
-- From now on these go another way. Their ids, and their places in the conversation, stay.
WITH carried AS (
    UPDATE outbox o SET provider = %(provider)s, chat = given.chat
    FROM unnest(%(ids)s::bigint[], %(chats)s::text[]) AS given (id, chat)
    WHERE o.id = given.id AND o.settled_at IS NULL AND NOT o.may_have_left
    RETURNING o.message_id, o.conversation_id
)
UPDATE whatsapp_messages m SET provider = %(provider)s FROM carried c
WHERE m.provider_message_id = c.message_id AND m.conversation_id = c.conversation_id AND m.direction = 'out'

-- give_up --
-- The road is gone for good: what may have left on it is unknown.
WITH settled AS (
    UPDATE outbox o SET state = greatest(o.state, 'unknown'), error = %(why)s, held_by = NULL, settled_at = %(now)s
    WHERE o.provider = %(provider)s AND o.settled_at IS NULL AND o.may_have_left
    RETURNING o.message_id, o.conversation_id
), shown AS (
    UPDATE whatsapp_messages m SET status = 'unknown', failure = %(why)s FROM settled s
    WHERE m.provider_message_id = s.message_id AND m.conversation_id = s.conversation_id AND m.direction = 'out'
      AND m.status < 'unknown'
), noted AS (
    INSERT INTO message_steps (message_id, at, step, worker_id, detail)
    SELECT message_id, %(now)s, 'unknown', NULL, %(why)s FROM settled
)
SELECT message_id, conversation_id FROM settled

-- has_written --
-- Did that number write over the Cloud API after that?
SELECT EXISTS (SELECT FROM whatsapp_contacts p JOIN conversations c ON c.contact_id = p.id
               JOIN whatsapp_messages m ON m.conversation_id = c.id
               WHERE p.phone = %(phone)s AND m.direction = 'in' AND m.provider = 'meta' AND m.source <> 'history'
                 AND m.sent_at > %(since)s)
