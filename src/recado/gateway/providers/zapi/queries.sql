-- Messages of ours at Z-API, and what it told before their names were known.

-- hold_still --
SELECT pg_advisory_xact_lock(hashtextextended('recado zapi ' || current_mentorado(), 0))

-- find_ours --
SELECT message_id, state::text AS state, chat, content FROM outbox WHERE message_id = %(message_id)s

-- list_nameless --
-- They may have left, nobody knows what became of them, and Z-API has no name for them here.
SELECT o.message_id, o.state::text AS state, o.chat, o.content
FROM outbox o
WHERE o.provider = 'zapi' AND o.may_have_left AND o.state IN ('on_wire', 'unknown')
  AND speaks_in(o.conversation_id, %(phone)s, %(lid)s, %(bsuid)s, %(chat)s)
  AND NOT EXISTS (SELECT FROM provider_message_ids p WHERE p.provider = 'zapi' AND p.message_id = o.message_id)
  AND (SELECT max(s.at) FROM message_steps s WHERE s.message_id = o.message_id AND s.step IN ('claimed', 'retried'))
      BETWEEN %(since)s AND %(until)s
ORDER BY o.id LIMIT 10

-- fail_taken --
WITH failed AS (
    UPDATE whatsapp_messages SET status = 'failed', failure = 'it did not go out'
    WHERE provider_message_id = %(message_id)s AND direction = 'out' AND status = 'server_ack'
)
UPDATE outbox SET state = 'failed', error = 'it did not go out'
WHERE message_id = %(message_id)s AND state = 'server_ack'

-- find_row --
SELECT m.is_placeholder
FROM whatsapp_messages m LEFT JOIN whatsapp_contacts s ON s.id = m.sender_id
WHERE m.provider_message_id = %(id)s AND m.direction = %(direction)s
  AND speaks_in(m.conversation_id, %(phone)s, %(lid)s, %(bsuid)s, %(chat)s)
  AND (%(sender_phone)s::text IS NULL AND %(sender_lid)s::text IS NULL
       OR s.phone = %(sender_phone)s OR s.lid = %(sender_lid)s)
LIMIT 1

-- list_missing --
SELECT g.id FROM unnest(%(ids)s::text[]) AS g (id)
WHERE NOT EXISTS (SELECT FROM whatsapp_messages m WHERE m.provider_message_id = g.id)

-- add_early --
INSERT INTO zapi_early_statuses (external_id, word, by_me, chat, at, told_at)
SELECT id, %(word)s, %(by_me)s, %(chat)s, %(at)s, %(now)s FROM unnest(%(external_ids)s::text[]) AS g (id)
ON CONFLICT (mentorado_id, external_id, word, by_me) DO NOTHING

-- claim_early --
DELETE FROM zapi_early_statuses WHERE external_id = %(external_id)s
RETURNING external_id, word, by_me, chat, at

-- delete_early --
DELETE FROM zapi_early_statuses WHERE told_at < %(before)s
