-- What facts mean for the rows people look at. Each statement takes a whole batch.

-- add_messages --
-- A message is kept once. What was a placeholder is filled when it could be read after all; a status only moves forward.
WITH written AS (
    INSERT INTO whatsapp_messages AS m
        (conversation_id, sender_id, provider, provider_message_id, direction, content_type, text, content, status,
         source, is_placeholder, quoted_message_id, quoted_text, raw, about_id, forwarded, expires_at, sent_at,
         recorded_by)
    SELECT conversation_id, sender_id, %(provider)s, id, direction, content_type, text, content, status::message_status,
           source, is_placeholder, quoted_message_id, quoted_text, raw, about_id, forwarded, expires_at, sent_at,
           %(worker)s::uuid
    FROM unnest(%(conversations)s::uuid[], %(senders)s::uuid[], %(ids)s::text[], %(directions)s::text[],
                %(content_types)s::text[], %(texts)s::text[], %(contents)s::jsonb[], %(statuses)s::text[],
                %(sources)s::text[], %(placeholders)s::boolean[], %(quoted_ids)s::text[], %(quoted_texts)s::text[],
                %(raws)s::bytea[], %(abouts)s::text[], %(forwardeds)s::integer[],
                %(expiries)s::timestamptz[], %(sent_ats)s::timestamptz[])
        AS given (conversation_id, sender_id, id, direction, content_type, text, content, status, source,
                  is_placeholder, quoted_message_id, quoted_text, raw, about_id, forwarded, expires_at, sent_at)
    ON CONFLICT ON CONSTRAINT whatsapp_messages_once DO UPDATE SET
        content_type = CASE WHEN m.is_placeholder THEN excluded.content_type ELSE m.content_type END,
        text = CASE WHEN m.is_placeholder THEN excluded.text ELSE m.text END,
        content = CASE WHEN m.is_placeholder THEN excluded.content ELSE m.content END,
        source = CASE WHEN m.is_placeholder THEN excluded.source ELSE m.source END,
        quoted_message_id = CASE WHEN m.is_placeholder THEN excluded.quoted_message_id ELSE m.quoted_message_id END,
        quoted_text = CASE WHEN m.is_placeholder THEN excluded.quoted_text ELSE m.quoted_text END,
        raw = CASE WHEN m.is_placeholder THEN excluded.raw ELSE m.raw END,
        about_id = CASE WHEN m.is_placeholder THEN excluded.about_id ELSE m.about_id END,
        forwarded = CASE WHEN m.is_placeholder THEN excluded.forwarded ELSE m.forwarded END,
        expires_at = coalesce(m.expires_at, excluded.expires_at),
        is_placeholder = m.is_placeholder AND excluded.is_placeholder,
        failure = CASE WHEN excluded.status >= 'server_ack' THEN NULL ELSE m.failure END,
        status = greatest(m.status, excluded.status),
        -- What was ours to send happened when the server took it.
        sent_at = CASE WHEN m.status < 'server_ack' THEN excluded.sent_at ELSE m.sent_at END
    WHERE m.is_placeholder AND NOT excluded.is_placeholder OR excluded.status > m.status
    RETURNING m.id, m.conversation_id, m.sent_at, m.about_id,
              xmax = 0 AND m.direction = 'in' AND m.source <> 'history' AS is_unread
), touched AS (
    SELECT conversation_id, count(*) FILTER (WHERE is_unread) AS unread,
           (array_agg(id ORDER BY sent_at DESC, id DESC))[1] AS last_id, max(sent_at) AS last_at
    FROM written WHERE about_id IS NULL GROUP BY conversation_id
)
UPDATE conversations c
SET unread_count = c.unread_count + t.unread,
    -- WhatsApp tells whole seconds, our own clock finer ones: within a second, what is recorded later came later.
    last_message_id = CASE WHEN date_trunc('second', c.last_message_at) > date_trunc('second', t.last_at)
                           THEN c.last_message_id ELSE t.last_id END,
    last_message_at = greatest(c.last_message_at, t.last_at)
FROM touched t WHERE c.id = t.conversation_id

-- settle_abouts --
-- What edits and deletions say, on the rows of their messages, whichever came first. Only who wrote a message edits it;
-- it is deleted by who wrote it, in a group by an admin too. What was said before stays, in the row itself (the first)
-- and in the rows of the edits.
WITH given AS (
    SELECT m.id, m.conversation_id, m.provider_message_id, m.sender_id
    FROM unnest(%(conversations)s::uuid[], %(ids)s::text[]) AS given (conversation_id, id)
    JOIN whatsapp_messages m ON m.conversation_id = given.conversation_id AND m.provider_message_id = given.id
    WHERE m.about_id IS NULL AND NOT m.is_placeholder AND m.content_type <> 'erased'
), edits AS (
    SELECT DISTINCT ON (g.id) g.id, e.text, e.content -> 'content' AS content, e.sent_at
    FROM given g JOIN whatsapp_messages e ON e.conversation_id = g.conversation_id AND e.about_id = g.provider_message_id
    WHERE e.content_type = 'edit' AND e.sender_id IS NOT DISTINCT FROM g.sender_id
      AND (e.status IS NULL OR e.status >= 'server_ack')
    ORDER BY g.id, e.sent_at DESC, e.id DESC
), revokes AS (
    SELECT g.id, min(r.sent_at) AS at
    FROM given g JOIN whatsapp_messages r ON r.conversation_id = g.conversation_id AND r.about_id = g.provider_message_id
    JOIN conversations c ON c.id = g.conversation_id
    WHERE r.content_type = 'revoke' AND (r.status IS NULL OR r.status >= 'server_ack')
      AND (r.sender_id IS NOT DISTINCT FROM g.sender_id OR c.kind = 'group' AND r.content ->> 'author' IS NOT NULL)
    GROUP BY g.id
)
UPDATE whatsapp_messages m
SET original = CASE WHEN e.id IS NULL THEN m.original ELSE coalesce(m.original, jsonb_build_object(
                   'content_type', m.content_type, 'text', m.text, 'content', m.content)) END,
    text = CASE WHEN e.id IS NULL THEN m.text ELSE e.text END,
    content = CASE WHEN e.id IS NULL OR e.content ->> 'type' = 'text' AND m.content IS NULL THEN m.content
                   WHEN m.content ->> 'type' = 'media' THEN m.content || jsonb_build_object('caption', e.text)
                   WHEN e.content ->> 'type' = m.content_type THEN e.content
                   ELSE m.content END,
    edited_at = coalesce(e.sent_at, m.edited_at),
    revoked_at = coalesce(m.revoked_at, r.at)
FROM given g LEFT JOIN edits e ON e.id = g.id LEFT JOIN revokes r ON r.id = g.id
WHERE m.id = g.id AND (e.id IS NOT NULL AND m.edited_at IS DISTINCT FROM e.sent_at
                       OR r.id IS NOT NULL AND m.revoked_at IS NULL)

-- settle_outbox --
-- Taken by the server, whatever was believed of it: an unknown one too. In the chat it went to; an id alone is no proof.
WITH settled AS (
    UPDATE outbox o SET state = 'server_ack', error = NULL, held_by = NULL, settled_at = now()
    FROM unnest(%(ids)s::text[], %(conversations)s::uuid[], %(ats)s::timestamptz[]) AS given (id, conversation_id, at)
    WHERE o.message_id = given.id AND o.conversation_id = given.conversation_id AND o.state < 'server_ack'
    RETURNING o.message_id, given.at
)
INSERT INTO message_steps (message_id, at, step, worker_id)
SELECT message_id, at, 'acked', %(worker)s FROM settled

-- reject --
WITH given AS (
    SELECT * FROM unnest(%(ids)s::text[], %(failures)s::text[], %(phones)s::text[], %(lids)s::text[], %(bsuids)s::text[],
                         %(chats)s::text[], %(ats)s::timestamptz[]) AS told (id, failure, phone, lid, bsuid, chat, at)
), settled AS (
    UPDATE outbox o SET state = 'failed', error = given.failure, held_by = NULL, settled_at = now()
    FROM given
    WHERE o.message_id = given.id AND o.state < 'failed'
      AND speaks_in(o.conversation_id, given.phone, given.lid, given.bsuid, given.chat)
    RETURNING o.message_id, given.failure, given.at
), shown AS (
    UPDATE whatsapp_messages m SET status = 'failed', failure = given.failure
    FROM given
    WHERE m.provider_message_id = given.id AND m.direction = 'out' AND m.status < 'failed'
      AND speaks_in(m.conversation_id, given.phone, given.lid, given.bsuid, given.chat)
)
INSERT INTO message_steps (message_id, at, step, worker_id, detail)
SELECT message_id, at, 'refused', %(worker)s, failure FROM settled

-- save_receipts --
-- A receipt counts in the chat it came from. It proves that the server took the message, whatever was believed.
WITH told AS (
    SELECT * FROM unnest(%(ids)s::text[], %(statuses)s::message_status[], %(phones)s::text[], %(lids)s::text[],
                         %(bsuids)s::text[], %(chats)s::text[], %(ats)s::timestamptz[])
        AS told (id, status, phone, lid, bsuid, chat, at)
), given AS (
    SELECT m.id, m.provider_message_id, m.conversation_id, max(told.status) AS status, max(told.at) AS at
    FROM told JOIN whatsapp_messages m ON m.provider_message_id = told.id AND m.direction = 'out'
    WHERE m.status < told.status AND speaks_in(m.conversation_id, told.phone, told.lid, told.bsuid, told.chat)
    GROUP BY m.id, m.provider_message_id, m.conversation_id
), moved AS (
    UPDATE whatsapp_messages m SET status = given.status, failure = NULL
    FROM given WHERE m.id = given.id AND m.status < given.status
), settled AS (
    UPDATE outbox o SET state = 'server_ack', error = NULL, held_by = NULL, settled_at = coalesce(o.settled_at, now())
    FROM given
    WHERE o.message_id = given.provider_message_id AND o.conversation_id = given.conversation_id
      AND o.state < 'server_ack'
)
INSERT INTO message_steps (message_id, at, step, worker_id)
SELECT provider_message_id, at, status::text, %(worker)s FROM given

-- save_read --
-- Read by the mentorado on another device: what came after the newest of these is what is left to read.
UPDATE conversations c
SET unread_count = (
    SELECT count(*) FROM whatsapp_messages m
    WHERE m.conversation_id = c.id AND m.direction = 'in' AND m.source <> 'history' AND m.about_id IS NULL
      AND m.sent_at > seen.until)
FROM (
    SELECT m.conversation_id, max(m.sent_at) AS until
    FROM unnest(%(ids)s::text[], %(phones)s::text[], %(lids)s::text[], %(bsuids)s::text[], %(chats)s::text[])
        AS told (id, phone, lid, bsuid, chat)
    JOIN whatsapp_messages m ON m.provider_message_id = told.id AND m.direction = 'in'
    WHERE speaks_in(m.conversation_id, told.phone, told.lid, told.bsuid, told.chat)
    GROUP BY m.conversation_id
) AS seen
WHERE c.id = seen.conversation_id AND c.unread_count > 0

-- name_groups --
UPDATE conversations c SET title = g.title
FROM unnest(%(ids)s::uuid[], %(titles)s::text[]) AS g(id, title)
WHERE c.id = g.id AND c.title IS DISTINCT FROM g.title;

-- save_stars --
-- The last word of the account's devices on each.
UPDATE whatsapp_messages m SET is_starred = said.is_starred
FROM (
    SELECT DISTINCT ON (s.id) s.id, told.is_starred
    FROM unnest(%(ids)s::text[], %(from_mes)s::boolean[], %(stars)s::boolean[], %(phones)s::text[], %(lids)s::text[],
                %(bsuids)s::text[], %(chats)s::text[])
        WITH ORDINALITY AS told (id, from_me, is_starred, phone, lid, bsuid, chat, place)
    JOIN whatsapp_messages s ON s.provider_message_id = told.id AND (s.direction = 'out') = told.from_me
    WHERE speaks_in(s.conversation_id, told.phone, told.lid, told.bsuid, told.chat)
    ORDER BY s.id, told.place DESC
) AS said
WHERE m.id = said.id AND m.is_starred <> said.is_starred
