-- list_conversations --
-- The most recently used first; a page starts after (before_at, before_id) of the last one of the page before.
SELECT c.id, c.kind, coalesce(p.name, c.title, p.verified_name, p.push_name) AS title, p.phone, p.lid, p.bsuid, c.chat, c.contact_id, c.lead_id,
       c.unread_count, coalesce(c.last_message_at, c.created_at) AS active_at, CASE WHEN m.revoked_at IS NULL THEN m.text END AS last_text,
       CASE WHEN m.revoked_at IS NULL THEN m.content_type ELSE 'revoked' END AS last_content_type,
       m.direction AS last_direction, m.status::text AS last_status, c.created_at,
       c.is_archived, c.is_pinned, c.is_muted, c.muted_until,
       (SELECT left(f.sha256, 16) FROM media f WHERE f.id = c.picture_id AND f.state = 'stored') AS picture,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', l.label_id, 'name', l.name, 'color', l.color)
                                  ORDER BY l.name, l.label_id), '[]')
        FROM labels l WHERE l.label_id = ANY (c.label_ids)) AS labels
FROM conversations c
LEFT JOIN whatsapp_contacts p ON p.id = c.contact_id
LEFT JOIN whatsapp_messages m ON m.id = c.last_message_id
WHERE (coalesce(c.last_message_at, c.created_at), c.id)
    < (coalesce(%(before_at)s::timestamptz, 'infinity'),
       coalesce(%(before_id)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
  AND (%(label)s::text IS NULL OR %(label)s = ANY (c.label_ids))
ORDER BY coalesce(c.last_message_at, c.created_at) DESC, c.id DESC
LIMIT %(limit)s

-- find_conversation --
SELECT c.id, c.kind, coalesce(p.name, c.title, p.verified_name, p.push_name) AS title, p.phone, p.lid, p.bsuid, c.chat, c.contact_id, c.lead_id,
       c.unread_count, coalesce(c.last_message_at, c.created_at) AS active_at, CASE WHEN m.revoked_at IS NULL THEN m.text END AS last_text,
       CASE WHEN m.revoked_at IS NULL THEN m.content_type ELSE 'revoked' END AS last_content_type,
       m.direction AS last_direction, m.status::text AS last_status, c.created_at,
       c.is_archived, c.is_pinned, c.is_muted, c.muted_until,
       (SELECT left(f.sha256, 16) FROM media f WHERE f.id = c.picture_id AND f.state = 'stored') AS picture,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', l.label_id, 'name', l.name, 'color', l.color)
                                  ORDER BY l.name, l.label_id), '[]')
        FROM labels l WHERE l.label_id = ANY (c.label_ids)) AS labels
FROM conversations c
LEFT JOIN whatsapp_contacts p ON p.id = c.contact_id
LEFT JOIN whatsapp_messages m ON m.id = c.last_message_id
WHERE c.id = %(id)s

-- list_messages --
-- The newest first; a page starts before (before_at, before_id) of the oldest one of the page before.
SELECT m.id, m.conversation_id, m.provider, m.provider_message_id, m.direction, m.content_type,
       CASE WHEN m.revoked_at IS NULL THEN m.text END AS text, CASE WHEN m.revoked_at IS NULL THEN m.content END AS content,
       m.status::text, m.failure, m.source, m.is_placeholder, m.quoted_message_id, m.quoted_text, m.sender_id,
       p.phone AS sender_phone, p.lid AS sender_lid, coalesce(p.name, p.push_name) AS sender_name, m.sent_at,
       m.created_at, m.about_id, m.edited_at, m.revoked_at, m.is_starred, m.forwarded, m.expires_at, m.label_ids
FROM whatsapp_messages m LEFT JOIN whatsapp_contacts p ON p.id = m.sender_id
WHERE m.conversation_id = %(conversation_id)s
  AND (m.sent_at, m.id) < (coalesce(%(before_at)s::timestamptz, 'infinity'),
                           coalesce(%(before_id)s::bigint, 9223372036854775807))
  AND (%(with_abouts)s OR m.about_id IS NULL)
ORDER BY m.sent_at DESC, m.id DESC
LIMIT %(limit)s

-- find_messages --
SELECT m.id, m.conversation_id, m.provider, m.provider_message_id, m.direction, m.content_type,
       CASE WHEN m.revoked_at IS NULL THEN m.text END AS text, CASE WHEN m.revoked_at IS NULL THEN m.content END AS content,
       m.status::text, m.failure, m.source, m.is_placeholder, m.quoted_message_id, m.quoted_text, m.sender_id,
       p.phone AS sender_phone, p.lid AS sender_lid, coalesce(p.name, p.push_name) AS sender_name, m.sent_at,
       m.created_at, m.about_id, m.edited_at, m.revoked_at, m.is_starred, m.forwarded, m.expires_at, m.label_ids
FROM whatsapp_messages m LEFT JOIN whatsapp_contacts p ON p.id = m.sender_id
WHERE m.provider_message_id = %(provider_message_id)s
ORDER BY m.direction DESC, m.id

-- find_quotable --
-- A message of the conversation, as what quotes it or says something of it must name it.
SELECT m.provider_message_id, m.sender_id IS NULL AS from_me, p.phone AS sender_phone, p.lid AS sender_lid,
       CASE WHEN m.revoked_at IS NULL THEN m.text END AS text, m.content_type, m.content, m.status::text, m.sent_at,
       m.revoked_at, m.provider
FROM whatsapp_messages m LEFT JOIN whatsapp_contacts p ON p.id = m.sender_id
WHERE m.conversation_id = %(conversation_id)s AND m.provider_message_id = %(provider_message_id)s
  AND m.about_id IS NULL
ORDER BY m.id LIMIT 1

-- mark_read --
-- Nothing is left to read; those that were, by provider, come back: the newest ones that somebody else wrote.
WITH before AS (
    SELECT id, unread_count FROM conversations WHERE id = %(id)s FOR UPDATE
), seen AS (
    UPDATE conversations c SET unread_count = 0 FROM before b WHERE c.id = b.id AND b.unread_count > 0
)
SELECT m.provider, array_agg(m.provider_message_id ORDER BY m.sent_at, m.id)
FROM before b CROSS JOIN LATERAL (
    SELECT id, provider, provider_message_id, sent_at FROM whatsapp_messages
    WHERE conversation_id = b.id AND direction = 'in' AND source <> 'history' AND about_id IS NULL
    ORDER BY sent_at DESC, id DESC LIMIT least(b.unread_count, 1000)
) AS m
GROUP BY m.provider

-- add_errand --
INSERT INTO errands (provider, kind, conversation_id, chat, message_ids, due_at)
VALUES (%(provider)s, 'read', %(conversation_id)s, %(chat)s, %(message_ids)s, %(now)s)

-- find_queued --
SELECT o.id, o.message_id, o.conversation_id, o.state::text, o.provider, o.request_hash, o.error, o.send_at, o.first_hold,
       o.created_at
FROM outbox o
WHERE o.idempotency_key = %(idempotency_key)s OR o.message_id = %(message_id)s
LIMIT 1

-- add_queued --
-- Nothing comes back when the idempotency key is there already: then find_queued says what it was used for.
INSERT INTO outbox (conversation_id, provider, chat, message_id, idempotency_key, request_hash, content, quoting,
                    origin, campaign_id, send_at, due_at, held_by, error, first_hold, forwarded, expires_in)
VALUES (%(conversation_id)s, %(provider)s, %(chat)s, %(message_id)s, %(idempotency_key)s, %(request_hash)s,
        %(content)s, %(quoting)s, %(origin)s, %(campaign_id)s, %(send_at)s, %(due_at)s, %(held_by)s, %(error)s,
        %(first_hold)s, %(forwarded)s, %(expires_in)s)
ON CONFLICT (mentorado_id, idempotency_key) DO NOTHING
RETURNING id, message_id, conversation_id, state::text, provider, request_hash, error, send_at, first_hold, created_at

-- add_queued_message --
-- One that goes later is not the last message of its conversation yet.
WITH added AS (
    INSERT INTO whatsapp_messages (conversation_id, provider, provider_message_id, direction, content_type, text,
                                   content, status, source, quoted_message_id, quoted_text, about_id, sent_at,
                                   forwarded, expires_at)
    VALUES (%(conversation_id)s, %(provider)s, %(message_id)s, 'out', %(content_type)s, %(text)s,
            %(content)s, 'queued', 'live', %(quoted_message_id)s, %(quoted_text)s, %(about_id)s,
            coalesce(%(send_at)s::timestamptz, %(now)s), %(forwarded)s,
            coalesce(%(send_at)s::timestamptz, %(now)s) + nullif(%(expires_in)s::integer, 0) * interval '1 second')
    RETURNING id, conversation_id, sent_at, about_id
), step AS (
    INSERT INTO message_steps (message_id, at, step, detail, until)
    VALUES (%(message_id)s, %(now)s, 'queued', %(origin)s, %(send_at)s)
)
UPDATE conversations c SET last_message_id = a.id, last_message_at = greatest(c.last_message_at, a.sent_at)
FROM added a WHERE c.id = a.conversation_id AND a.sent_at <= %(now)s AND a.about_id IS NULL

-- list_waiting --
-- What has no fate yet, in the order in which it is due; a page starts after (after_due, after_id).
SELECT o.id, o.message_id, o.conversation_id, o.provider, o.state::text, o.origin, o.campaign_id, o.send_at, o.due_at,
       o.held_by, o.error, o.attempts, o.created_at, m.text
FROM outbox o
LEFT JOIN whatsapp_messages m ON m.conversation_id = o.conversation_id AND m.provider_message_id = o.message_id
    AND m.direction = 'out'
WHERE o.settled_at IS NULL
  AND (%(only)s::text IS NULL OR %(only)s = 'scheduled' AND o.send_at > %(now)s
       OR %(only)s = 'held' AND o.held_by IS NOT NULL)
  AND (%(after_id)s::bigint IS NULL OR (o.due_at, o.id) > (%(after_due)s::timestamptz, %(after_id)s::bigint))
ORDER BY o.due_at, o.id LIMIT %(limit)s

-- cancel_queued --
-- Only what never reached the wire can be called back.
WITH cancelled AS (
    UPDATE outbox SET state = 'failed', error = 'cancelled', held_by = NULL, settled_at = %(now)s
    WHERE message_id = %(message_id)s AND state = 'queued' AND settled_at IS NULL
    RETURNING message_id, conversation_id
), shown AS (
    UPDATE whatsapp_messages m SET status = 'failed', failure = 'cancelled', sent_at = least(m.sent_at, %(now)s)
    FROM cancelled c
    WHERE m.provider_message_id = c.message_id AND m.conversation_id = c.conversation_id AND m.direction = 'out'
      AND m.status < 'failed'
)
INSERT INTO message_steps (message_id, at, step, detail)
SELECT message_id, %(now)s, 'cancelled', %(actor)s FROM cancelled
RETURNING (SELECT conversation_id FROM cancelled)
