-- Everything about one message.

-- find_way --
-- Of a message of ours that went through the outbox.
SELECT o.state::text, o.origin, o.campaign_id, o.send_at, o.due_at, o.held_by, o.error, o.attempts, o.created_at,
       o.settled_at
FROM outbox o WHERE o.message_id = %(message_id)s AND o.conversation_id = %(conversation_id)s

-- find_recorder --
-- The worker that told of it first; its name while the worker is known.
SELECT m.recorded_by, w.name FROM whatsapp_messages m LEFT JOIN workers w ON w.id = m.recorded_by WHERE m.id = %(id)s

-- list_events_about --
-- The events around those moments that name it: found by their place in the stream, without an index on their content.
SELECT DISTINCT e.seq, e.kind, e.provider, e.at
FROM unnest(%(moments)s::timestamptz[]) AS moment,
     LATERAL (SELECT find_event_at(moment - %(around)s::interval) AS first,
                     find_event_at(moment + %(around)s::interval) AS beyond) AS place,
     LATERAL (SELECT seq, kind, provider, at, body FROM events
              WHERE seq >= place.first AND seq < place.beyond) AS e
WHERE e.body->>'id' = %(message_id)s OR e.body->'ids' ? %(message_id)s
ORDER BY e.seq LIMIT 200
