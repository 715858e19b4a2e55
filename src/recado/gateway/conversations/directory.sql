-- Who is who: contacts by any address, and the conversations with them.

-- find_known --
-- People by phone, LID or BSUID, then other chats by address; with the conversation where there is one.
SELECT p.id, p.phone, p.lid, p.bsuid, p.push_name, p.username, c.id, NULL,
       ARRAY(SELECT n.phone FROM contact_numbers n WHERE n.contact_id = p.id AND NOT n.is_former),
       ARRAY(SELECT n.phone FROM contact_numbers n WHERE n.contact_id = p.id AND n.is_former)
FROM whatsapp_contacts p LEFT JOIN conversations c ON c.contact_id = p.id
WHERE p.phone = ANY (%(phones)s) OR p.lid = ANY (%(lids)s) OR p.bsuid = ANY (%(bsuids)s)
   OR p.id = ANY (ARRAY(SELECT contact_id FROM contact_numbers WHERE phone = ANY (%(phones)s) AND NOT is_former))
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, c.id, c.chat, NULL, NULL FROM conversations c WHERE c.chat = ANY (%(chats)s)

-- merge_contacts --
SELECT merge_contacts(%(winner)s, %(loser)s)

-- release --
-- These addresses are somebody else's from now on.
UPDATE whatsapp_contacts c
SET lid = CASE WHEN g.space = 'lid' THEN NULL ELSE c.lid END,
    bsuid = CASE WHEN g.space = 'bsuid' THEN NULL ELSE c.bsuid END, updated_at = now()
FROM (SELECT %(id)s::uuid AS id, %(space)s::text AS space) AS g WHERE c.id = g.id

-- add_contacts --
INSERT INTO whatsapp_contacts (id, phone, lid, bsuid, push_name, username)
SELECT * FROM unnest(%(ids)s::uuid[], %(phones)s::text[], %(lids)s::text[], %(bsuids)s::text[],
                     %(push_names)s::text[], %(usernames)s::text[])

-- save_contacts --
UPDATE whatsapp_contacts c
SET phone = coalesce(g.phone, c.phone), lid = coalesce(g.lid, c.lid), bsuid = coalesce(g.bsuid, c.bsuid),
    push_name = coalesce(g.push_name, c.push_name), username = coalesce(g.username, c.username), updated_at = now()
FROM unnest(%(ids)s::uuid[], %(phones)s::text[], %(lids)s::text[], %(bsuids)s::text[], %(push_names)s::text[],
            %(usernames)s::text[]) AS g (id, phone, lid, bsuid, push_name, username)
WHERE c.id = g.id

-- add_numbers --
INSERT INTO contact_numbers AS n (phone, contact_id, is_former)
SELECT * FROM unnest(%(phones)s::text[], %(contacts)s::uuid[], %(formers)s::boolean[])
ON CONFLICT (mentorado_id, phone) DO UPDATE SET contact_id = excluded.contact_id, is_former = excluded.is_former
WHERE (n.contact_id, n.is_former) IS DISTINCT FROM (excluded.contact_id, excluded.is_former)

-- add_conversations --
-- With somebody who is a lead already it is the lead's.
INSERT INTO conversations (id, kind, contact_id, chat, lead_id)
SELECT g.id, g.kind, g.contact_id, g.chat,
       (SELECT l.id FROM leads l JOIN whatsapp_contacts p ON p.phone = l.phone OR p.id = l.contact_id
        WHERE p.id = g.contact_id LIMIT 1)
FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(contacts)s::uuid[], %(chats)s::text[])
    AS g (id, kind, contact_id, chat)
