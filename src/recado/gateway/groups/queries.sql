-- Groups: their rules, who is in them, and how far each is with a message.

-- save_rules --
INSERT INTO group_rules AS g (group_id, rules) VALUES (%(group)s, %(rules)s)
ON CONFLICT (mentorado_id, group_id) DO UPDATE SET rules = g.rules || excluded.rules

-- save_title --
UPDATE conversations SET title = %(title)s WHERE id = %(group)s

-- add_members --
INSERT INTO conversation_members (group_id, contact_id, joined_at)
SELECT %(group)s, contact, %(joined_at)s FROM unnest(%(contacts)s::uuid[]) AS contact
ON CONFLICT DO NOTHING

-- save_members --
-- Everybody there is, with their roles; whoever is not named is not in it.
WITH told AS (
    SELECT contact, max(role) AS role FROM unnest(%(contacts)s::uuid[], %(roles)s::text[]) AS told (contact, role)
    GROUP BY contact
), gone AS (
    DELETE FROM conversation_members WHERE group_id = %(group)s AND contact_id <> ALL (%(contacts)s::uuid[])
)
INSERT INTO conversation_members AS m (group_id, contact_id, role) SELECT %(group)s, contact, role FROM told
ON CONFLICT (mentorado_id, group_id, contact_id) DO UPDATE SET role = excluded.role WHERE m.role <> excluded.role

-- remove_members --
DELETE FROM conversation_members WHERE group_id = %(group)s AND contact_id = ANY (%(contacts)s::uuid[])

-- save_role --
UPDATE conversation_members SET role = %(role)s
WHERE group_id = %(group)s AND contact_id = ANY (%(contacts)s::uuid[]) AND role <> %(role)s

-- find_rules --
SELECT rules FROM group_rules WHERE group_id = %(group)s

-- list_changed --
-- The groups something changed in since then, as events tell it.
SELECT DISTINCT body->>'group' FROM events
WHERE seq >= find_event_at(%(since)s) AND kind = 'group.changed' AND provider = %(provider)s AND at >= %(since)s

-- list_members --
SELECT m.contact_id, m.role, m.joined_at, p.phone, p.lid, coalesce(p.name, p.push_name) AS name
FROM conversation_members m JOIN whatsapp_contacts p ON p.id = m.contact_id
WHERE m.group_id = %(group)s
ORDER BY m.role = 'member', coalesce(p.name, p.push_name, p.phone, p.lid), m.contact_id LIMIT 2048

-- list_receipts --
SELECT r.contact_id, r.delivered_at, r.read_at, r.played_at, p.phone, p.lid, coalesce(p.name, p.push_name) AS name
FROM message_receipts r JOIN whatsapp_contacts p ON p.id = r.contact_id
WHERE r.message_id = %(message)s
ORDER BY coalesce(p.name, p.push_name, p.phone, p.lid), r.contact_id LIMIT 2048

-- save_receipts --
INSERT INTO message_receipts AS r (message_id, contact_id, delivered_at, read_at, played_at)
SELECT m.id, told.contact, min(told.at), min(told.at) FILTER (WHERE told.kind IN ('read', 'played')),
       min(told.at) FILTER (WHERE told.kind = 'played')
FROM unnest(%(ids)s::text[], %(groups)s::uuid[], %(contacts)s::uuid[], %(kinds)s::text[], %(ats)s::timestamptz[])
    AS told (id, "group", contact, kind, at)
JOIN whatsapp_messages m
    ON m.provider_message_id = told.id AND m.conversation_id = told."group" AND m.direction = 'out'
GROUP BY m.id, told.contact
ON CONFLICT (mentorado_id, message_id, contact_id) DO UPDATE
SET delivered_at = least(r.delivered_at, excluded.delivered_at), read_at = least(r.read_at, excluded.read_at),
    played_at = least(r.played_at, excluded.played_at)

-- settle_receipts --
-- A message to a group is delivered, or read, when it is so for everybody who was in it; where nobody knows who is, the
-- first one's word counts. Whoever came later never got it. Any receipt proves that the server took the message.
WITH named AS (
    SELECT DISTINCT m.id, m.provider_message_id, m.conversation_id, m.sent_at
    FROM unnest(%(ids)s::text[], %(groups)s::uuid[]) AS told (id, "group")
    JOIN whatsapp_messages m
        ON m.provider_message_id = told.id AND m.conversation_id = told."group" AND m.direction = 'out'
), counted AS (
    SELECT n.id, n.provider_message_id, n.conversation_id, count(g.contact_id) AS members,
           count(r.delivered_at) AS delivered, count(r.read_at) AS read, count(r.played_at) AS played
    FROM named n
    LEFT JOIN conversation_members g
        ON g.group_id = n.conversation_id AND coalesce(g.joined_at, '-infinity') <= n.sent_at
    LEFT JOIN message_receipts r ON r.message_id = n.id AND r.contact_id = g.contact_id
    GROUP BY n.id, n.provider_message_id, n.conversation_id
), given AS (
    SELECT c.id, c.provider_message_id, c.conversation_id,
           CASE WHEN c.members > 0 AND c.played = c.members THEN 'played'
                WHEN c.members > 0 AND c.read = c.members THEN 'read'
                WHEN c.members > 0 AND c.delivered = c.members THEN 'delivered'
                WHEN c.members > 0 THEN 'server_ack'
                ELSE (SELECT CASE WHEN count(played_at) > 0 THEN 'played' WHEN count(read_at) > 0 THEN 'read'
                                  ELSE 'delivered' END FROM message_receipts WHERE message_id = c.id)
           END::message_status AS status
    FROM counted c
), moved AS (
    UPDATE whatsapp_messages m SET status = given.status, failure = NULL
    FROM given WHERE m.id = given.id AND m.status < given.status
    RETURNING m.provider_message_id, given.status
), settled AS (
    UPDATE outbox o SET state = 'server_ack', error = NULL, held_by = NULL, settled_at = coalesce(o.settled_at, now())
    FROM given
    WHERE o.message_id = given.provider_message_id AND o.conversation_id = given.conversation_id
      AND o.state < 'server_ack'
)
INSERT INTO message_steps (message_id, at, step, worker_id)
SELECT provider_message_id, %(at)s, CASE status WHEN 'server_ack' THEN 'acked' ELSE status::text END, %(worker)s FROM moved
