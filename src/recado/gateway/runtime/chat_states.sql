-- How the mentorado's own devices show chats and name people.

-- name_contacts --
UPDATE whatsapp_contacts p SET name = g.name, updated_at = now()
FROM unnest(%(ids)s::uuid[], %(names)s::text[]) AS g (id, name)
WHERE p.id = g.id AND p.erased_at IS NULL AND p.name IS DISTINCT FROM g.name

-- certify_contacts --
UPDATE whatsapp_contacts p SET verified_name = g.name, learnt_from = 'certificate', updated_at = now()
FROM unnest(%(ids)s::uuid[], %(names)s::text[]) AS g (id, name)
WHERE p.id = g.id AND p.erased_at IS NULL AND p.verified_name IS DISTINCT FROM g.name

-- save_chat_states --
-- Where nothing is said of something it stays; a mute is said with its end. A chat marked as unread counts one at least.
UPDATE conversations c
SET is_archived = coalesce(g.is_archived, c.is_archived), is_pinned = coalesce(g.is_pinned, c.is_pinned),
    is_muted = coalesce(g.is_muted, c.is_muted),
    muted_until = CASE WHEN g.is_muted IS NULL THEN c.muted_until WHEN g.is_muted THEN g.muted_until END,
    unread_count = CASE WHEN g.is_read IS NULL THEN c.unread_count WHEN g.is_read THEN 0
                        ELSE greatest(c.unread_count, 1) END
FROM (
    SELECT k.id,
           (array_agg(is_archived ORDER BY place DESC) FILTER (WHERE is_archived IS NOT NULL))[1] AS is_archived,
           (array_agg(is_pinned ORDER BY place DESC) FILTER (WHERE is_pinned IS NOT NULL))[1] AS is_pinned,
           (array_agg(is_muted ORDER BY place DESC) FILTER (WHERE is_muted IS NOT NULL))[1] AS is_muted,
           (array_agg(muted_until ORDER BY place DESC) FILTER (WHERE is_muted IS NOT NULL))[1] AS muted_until,
           (array_agg(is_read ORDER BY place DESC) FILTER (WHERE is_read IS NOT NULL))[1] AS is_read
    FROM unnest(%(phones)s::text[], %(lids)s::text[], %(chats)s::text[], %(archiveds)s::boolean[],
                %(pinneds)s::boolean[], %(muteds)s::boolean[], %(muted_untils)s::timestamptz[], %(reads)s::boolean[])
        WITH ORDINALITY AS said (phone, lid, chat, is_archived, is_pinned, is_muted, muted_until, is_read, place)
    CROSS JOIN LATERAL (
        SELECT o.id FROM conversations o WHERE o.chat = said.chat
        UNION ALL
        SELECT o.id FROM conversations o JOIN whatsapp_contacts p ON p.id = o.contact_id
        WHERE p.phone = said.phone OR p.lid = said.lid
    ) AS k
    GROUP BY k.id
) AS g
WHERE c.id = g.id
