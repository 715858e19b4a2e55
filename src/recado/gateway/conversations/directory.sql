-- Who is who: contacts by either address, and the conversations with them.

-- find_known --
-- People by phone or LID, then other chats by address; with the conversation where there is one.
SELECT p.id, p.phone, p.lid, p.push_name, c.id, NULL
FROM whatsapp_contacts p LEFT JOIN conversations c ON c.contact_id = p.id
WHERE p.phone = ANY (%(phones)s) OR p.lid = ANY (%(lids)s)
UNION ALL
SELECT NULL, NULL, NULL, NULL, c.id, c.chat FROM conversations c WHERE c.chat = ANY (%(chats)s)

-- merge_contacts --
SELECT merge_contacts(%(winner)s, %(loser)s)

-- release_lids --
UPDATE whatsapp_contacts SET lid = NULL, updated_at = now() WHERE id = ANY (%(ids)s)

-- add_contacts --
INSERT INTO whatsapp_contacts (id, phone, lid, push_name)
SELECT * FROM unnest(%(ids)s::uuid[], %(phones)s::text[], %(lids)s::text[], %(push_names)s::text[])

-- save_contacts --
UPDATE whatsapp_contacts c
SET phone = coalesce(g.phone, c.phone), lid = coalesce(g.lid, c.lid), push_name = coalesce(g.push_name, c.push_name),
    updated_at = now()
FROM unnest(%(ids)s::uuid[], %(phones)s::text[], %(lids)s::text[], %(push_names)s::text[])
    AS g (id, phone, lid, push_name)
WHERE c.id = g.id

-- add_conversations --
-- With somebody who is a lead already it is the lead's.
INSERT INTO conversations (id, kind, contact_id, chat, lead_id)
SELECT g.id, g.kind, g.contact_id, g.chat,
       (SELECT l.id FROM leads l JOIN whatsapp_contacts p ON p.phone = l.phone OR p.id = l.contact_id
        WHERE p.id = g.contact_id LIMIT 1)
FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(contacts)s::uuid[], %(chats)s::text[])
    AS g (id, kind, contact_id, chat)
