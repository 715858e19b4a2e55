-- What facts mean for the rows people look at. Each statement takes a whole batch.

-- add_messages --
-- A message is kept once. What was a placeholder is filled when it could be read after all; a status only moves forward.
WITH written AS (
    INSERT INTO whatsapp_messages AS m
        (conversation_id, sender_id, provider, provider_message_id, direction, content_type, text, status, source,
         is_placeholder, quoted_message_id, quoted_text, raw, sent_at)
    SELECT conversation_id, sender_id, %(provider)s, id, direction, content_type, text, status::message_status, source,
           is_placeholder, quoted_message_id, quoted_text, raw, sent_at
    FROM unnest(%(conversations)s::uuid[], %(senders)s::uuid[], %(ids)s::text[], %(directions)s::text[],
                %(content_types)s::text[], %(texts)s::text[], %(statuses)s::text[], %(sources)s::text[],
                %(placeholders)s::boolean[], %(quoted_ids)s::text[], %(quoted_texts)s::text[], %(raws)s::bytea[],
                %(sent_ats)s::timestamptz[])
        AS given (conversation_id, sender_id, id, direction, content_type, text, status, source, is_placeholder,
                  quoted_message_id, quoted_text, raw, sent_at)
    ON CONFLICT ON CONSTRAINT whatsapp_messages_once DO UPDATE SET
        content_type = CASE WHEN m.is_placeholder THEN excluded.content_type ELSE m.content_type END,
        text = CASE WHEN m.is_placeholder THEN excluded.text ELSE m.text END,
        source = CASE WHEN m.is_placeholder THEN excluded.source ELSE m.source END,
        quoted_message_id = CASE WHEN m.is_placeholder THEN excluded.quoted_message_id ELSE m.quoted_message_id END,
        quoted_text = CASE WHEN m.is_placeholder THEN excluded.quoted_text ELSE m.quoted_text END,
        raw = CASE WHEN m.is_placeholder THEN excluded.raw ELSE m.raw END,
        is_placeholder = m.is_placeholder AND excluded.is_placeholder,
        failure = CASE WHEN excluded.status >= 'server_ack' THEN NULL ELSE m.failure END,
        status = greatest(m.status, excluded.status),
        -- What was ours to send happened when the server took it.
        sent_at = CASE WHEN m.status < 'server_ack' THEN excluded.sent_at ELSE m.sent_at END
    WHERE m.is_placeholder AND NOT excluded.is_placeholder OR excluded.status > m.status
    RETURNING m.id, m.conversation_id, m.sent_at,
              xmax = 0 AND m.direction = 'in' AND m.source <> 'history' AS is_unread
), touched AS (
    SELECT conversation_id, count(*) FILTER (WHERE is_unread) AS unread,
           (array_agg(id ORDER BY sent_at DESC, id DESC))[1] AS last_id, max(sent_at) AS last_at
    FROM written GROUP BY conversation_id
)
UPDATE conversations c
SET unread_count = c.unread_count + t.unread,
    -- WhatsApp tells whole seconds, our own clock finer ones: within a second, what is recorded later came later.
    last_message_id = CASE WHEN date_trunc('second', c.last_message_at) > date_trunc('second', t.last_at)
                           THEN c.last_message_id ELSE t.last_id END,
    last_message_at = greatest(c.last_message_at, t.last_at)
FROM touched t WHERE c.id = t.conversation_id

-- settle_outbox --
UPDATE outbox SET state = 'server_ack', error = NULL, settled_at = now()
WHERE message_id = ANY (%(ids)s) AND state < 'server_ack'

-- reject_outbox --
UPDATE outbox o SET state = 'failed', error = given.failure, settled_at = now()
FROM unnest(%(ids)s::text[], %(failures)s::text[]) AS given (id, failure)
WHERE o.message_id = given.id AND o.state < 'failed'

-- reject_messages --
UPDATE whatsapp_messages m SET status = 'failed', failure = given.failure
FROM unnest(%(ids)s::text[], %(failures)s::text[]) AS given (id, failure)
WHERE m.provider_message_id = given.id AND m.direction = 'out' AND m.status < 'failed'

-- save_receipts --
WITH given AS (
    SELECT id, max(status::message_status) AS status
    FROM unnest(%(ids)s::text[], %(statuses)s::text[]) AS told (id, status) GROUP BY id
)
UPDATE whatsapp_messages m SET status = given.status, failure = NULL
FROM given WHERE m.provider_message_id = given.id AND m.direction = 'out' AND m.status < given.status

-- save_read --
-- Read by the mentorado on another device: what came after the newest of these is what is left to read.
UPDATE conversations c
SET unread_count = (
    SELECT count(*) FROM whatsapp_messages m
    WHERE m.conversation_id = c.id AND m.direction = 'in' AND m.source <> 'history' AND m.sent_at > seen.until)
FROM (
    SELECT conversation_id, max(sent_at) AS until FROM whatsapp_messages
    WHERE provider_message_id = ANY (%(ids)s) AND direction = 'in' GROUP BY conversation_id
) AS seen
WHERE c.id = seen.conversation_id AND c.unread_count > 0
