-- What messages say of others.

-- list_abouts --
-- The last word of each person of each kind; what never left says nothing.
SELECT DISTINCT ON (m.about_id, m.content_type, m.sender_id)
       m.about_id, m.content_type, m.content, m.sender_id, coalesce(p.name, p.push_name, p.phone) AS sender_name, m.sent_at
FROM whatsapp_messages m LEFT JOIN whatsapp_contacts p ON p.id = m.sender_id
WHERE m.conversation_id = %(conversation_id)s AND m.about_id = ANY (%(ids)s::text[])
  AND m.content_type IN ('reaction', 'poll_vote', 'event_answer', 'pin', 'keep')
  AND m.status IS DISTINCT FROM 'failed'
ORDER BY m.about_id, m.content_type, m.sender_id, m.sent_at DESC, m.id DESC

-- list_versions --
-- As it came, then every edit by who wrote it.
SELECT m.sent_at AS at, coalesce(m.original ->> 'text', m.text) AS text,
       CASE WHEN m.original IS NULL THEN m.content ELSE nullif(m.original -> 'content', 'null') END AS content
FROM whatsapp_messages m WHERE m.id = %(id)s
UNION ALL
SELECT e.sent_at, e.text, nullif(e.content -> 'content', 'null')
FROM whatsapp_messages m
JOIN whatsapp_messages e ON e.conversation_id = m.conversation_id AND e.about_id = m.provider_message_id
    AND e.content_type = 'edit' AND e.sender_id IS NOT DISTINCT FROM m.sender_id
    AND (e.status IS NULL OR e.status >= 'server_ack')
WHERE m.id = %(id)s AND m.content_type <> 'erased'
ORDER BY 1
