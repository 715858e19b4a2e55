-- The labels of a business account, and what carries them.

-- save_labels --
INSERT INTO labels AS l (label_id, name, color, changed_at)
SELECT id, name, color, at FROM unnest(%(ids)s::text[], %(names)s::text[], %(colors)s::integer[], %(ats)s::timestamptz[])
    AS told (id, name, color, at)
ON CONFLICT (mentorado_id, label_id) DO UPDATE
SET name = excluded.name, color = excluded.color, changed_at = excluded.changed_at
WHERE (l.name, l.color) <> (excluded.name, excluded.color)

-- delete_labels --
WITH gone AS (
    DELETE FROM labels WHERE label_id = ANY (%(ids)s::text[])
), chats AS (
    UPDATE conversations c SET label_ids = ARRAY(SELECT id FROM unnest(c.label_ids) AS id WHERE id <> ALL (%(ids)s::text[]))
    WHERE c.label_ids && %(ids)s::text[]
)
UPDATE whatsapp_messages m
SET label_ids = ARRAY(SELECT id FROM unnest(m.label_ids) AS id WHERE id <> ALL (%(ids)s::text[]))
WHERE m.label_ids <> '{}' AND m.label_ids && %(ids)s::text[]

-- save_chat_labels --
-- The last word on each label of each conversation, by whichever address it was told.
UPDATE conversations c
SET label_ids = ARRAY(SELECT unnest(c.label_ids || g.added) EXCEPT SELECT unnest(g.removed) ORDER BY 1)
FROM (
    SELECT id, coalesce(array_agg(label) FILTER (WHERE is_placed), '{}') AS added,
           coalesce(array_agg(label) FILTER (WHERE NOT is_placed), '{}') AS removed
    FROM (
        SELECT DISTINCT ON (k.id, said.label) k.id, said.label, said.is_placed
        FROM unnest(%(labels)s::text[], %(placeds)s::boolean[], %(phones)s::text[], %(lids)s::text[], %(chats)s::text[])
            WITH ORDINALITY AS said (label, is_placed, phone, lid, chat, place)
        CROSS JOIN LATERAL (
            SELECT o.id FROM conversations o WHERE o.chat = said.chat
            UNION ALL
            SELECT o.id FROM conversations o JOIN whatsapp_contacts p ON p.id = o.contact_id
            WHERE p.phone = said.phone OR p.lid = said.lid
        ) AS k
        ORDER BY k.id, said.label, said.place DESC
    ) AS last
    GROUP BY id
) AS g
WHERE c.id = g.id

-- save_message_labels --
UPDATE whatsapp_messages m
SET label_ids = ARRAY(SELECT unnest(m.label_ids || g.added) EXCEPT SELECT unnest(g.removed) ORDER BY 1)
FROM (
    SELECT id, coalesce(array_agg(label) FILTER (WHERE is_placed), '{}') AS added,
           coalesce(array_agg(label) FILTER (WHERE NOT is_placed), '{}') AS removed
    FROM (
        SELECT DISTINCT ON (s.id, said.label) s.id, said.label, said.is_placed
        FROM unnest(%(ids)s::text[], %(labels)s::text[], %(placeds)s::boolean[], %(phones)s::text[], %(lids)s::text[],
                    %(chats)s::text[]) WITH ORDINALITY AS said (message, label, is_placed, phone, lid, chat, place)
        JOIN whatsapp_messages s ON s.provider_message_id = said.message
        WHERE speaks_in(s.conversation_id, said.phone, said.lid, NULL, said.chat)
        ORDER BY s.id, said.label, said.place DESC
    ) AS last
    GROUP BY id
) AS g
WHERE m.id = g.id
