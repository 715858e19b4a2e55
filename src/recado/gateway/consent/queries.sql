-- The consent ledger. An entry for the purpose '*' speaks of every purpose; the newest entry counts. A 'back' takes the
-- stops of every purpose before it away, and says nothing else: what stood before them stands again.

-- find_standing --
SELECT n.kind, n.at FROM conversations c
CROSS JOIN LATERAL (
    SELECT e.kind, e.at FROM consents e
    WHERE e.contact_id = c.contact_id AND e.purpose IN (%(purpose)s, '*')
      AND e.kind <> 'back' AND NOT (e.purpose = '*' AND EXISTS (
        SELECT FROM consents b WHERE b.contact_id = c.contact_id AND b.kind = 'back' AND (b.at, b.id) > (e.at, e.id)))
    ORDER BY e.at DESC, e.id DESC LIMIT 1) AS n
WHERE c.id = %(conversation_id)s

-- list_standings --
SELECT given.id AS contact_id, n.kind, n.at, n.source
FROM unnest(%(contact_ids)s::uuid[]) AS given (id)
CROSS JOIN LATERAL (
    SELECT e.kind, e.at, e.source FROM consents e
    WHERE e.contact_id = given.id AND e.purpose IN (%(purpose)s, '*')
      AND e.kind <> 'back' AND NOT (e.purpose = '*' AND EXISTS (
        SELECT FROM consents b WHERE b.contact_id = given.id AND b.kind = 'back' AND (b.at, b.id) > (e.at, e.id)))
    ORDER BY e.at DESC, e.id DESC LIMIT 1) AS n

-- list_newest --
SELECT given.id AS contact_id, n.kind, n.at, n.source, n.purpose
FROM unnest(%(contact_ids)s::uuid[]) AS given (id)
CROSS JOIN LATERAL (
    SELECT e.kind, e.at, e.source, e.purpose FROM consents e WHERE e.contact_id = given.id
    ORDER BY e.at DESC, e.id DESC LIMIT 1) AS n

-- add_consents --
-- A message that was an entry already is none again: then its row does not come back.
INSERT INTO consents (contact_id, purpose, kind, at, text_shown, source, evidence, message_id, actor)
SELECT contact_id, purpose, kind, at, text_shown, source, evidence::jsonb, message_id, %(actor)s
FROM unnest(%(contact_ids)s::uuid[], %(purposes)s::text[], %(kinds)s::text[], %(ats)s::timestamptz[],
            %(texts)s::text[], %(sources)s::text[], %(evidences)s::text[], %(message_ids)s::text[])
    AS given (contact_id, purpose, kind, at, text_shown, source, evidence, message_id)
ON CONFLICT (mentorado_id, contact_id, message_id) WHERE message_id IS NOT NULL DO NOTHING
RETURNING id, contact_id, purpose, kind, at, text_shown, source, evidence, message_id, actor, recorded_at

-- list_consents --
SELECT id, contact_id, purpose, kind, at, text_shown, source, evidence, message_id, actor, recorded_at FROM consents
WHERE contact_id = %(contact_id)s AND id < coalesce(%(before)s::bigint, 9223372036854775807)
ORDER BY id DESC LIMIT %(limit)s

-- list_heeded --
SELECT message_id FROM consents WHERE message_id = ANY (%(message_ids)s) AND contact_id = ANY (%(contact_ids)s)

-- list_people --
SELECT p.phone, p.lid, p.bsuid, p.id, c.id FROM whatsapp_contacts p JOIN conversations c ON c.contact_id = p.id
WHERE p.phone = ANY (%(phones)s) OR p.lid = ANY (%(lids)s) OR p.bsuid = ANY (%(bsuids)s)

-- add_answer --
INSERT INTO consent_answers (message_id, answers, at) VALUES (%(message_id)s, %(answers)s, %(at)s)

-- has_answer --
SELECT EXISTS (SELECT FROM consent_answers WHERE message_id = %(message_id)s)

-- find_contact --
SELECT id FROM whatsapp_contacts WHERE id = %(id)s

-- find_contact_of --
SELECT contact_id FROM conversations WHERE id = %(conversation_id)s AND contact_id IS NOT NULL

-- find_contact_by_address --
SELECT id FROM whatsapp_contacts WHERE phone = %(phone)s OR lid = %(lid)s OR bsuid = %(bsuid)s

-- find_settings --
SELECT locale, stop_words, return_words, answer, is_answering FROM consent_settings

-- save_settings --
INSERT INTO consent_settings (locale, stop_words, return_words, answer, is_answering)
VALUES (%(locale)s, %(stop_words)s, %(return_words)s, %(answer)s, %(is_answering)s)
ON CONFLICT (mentorado_id) DO UPDATE
SET locale = excluded.locale, stop_words = excluded.stop_words, return_words = excluded.return_words,
    answer = excluded.answer, is_answering = excluded.is_answering, updated_at = now()
