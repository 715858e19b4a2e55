-- What the doctor reads. Numbers, times and words of ours; never a text, a number or a key.

-- list_changes --
SELECT body->>'state' AS state, (body->>'reason')::int AS code, (body->>'retry_at')::timestamptz AS retry_at, at
FROM events WHERE kind = 'connection.changed' AND at > %(since)s ORDER BY seq

-- count_requests --
SELECT count(*) FROM audit_log WHERE action = 'connection.connected' AND actor <> 'runtime' AND at > %(since)s

-- find_holder --
SELECT coalesce(w.expires_at > clock_timestamp(), false) AS is_live, l.taken_at
FROM leases l LEFT JOIN workers w ON w.id = l.worker_id
WHERE l.provider = %(provider)s AND l.worker_id IS NOT NULL

-- find_browser --
SELECT linked_as, says AS now FROM browsers WHERE provider = %(provider)s

-- sum_traffic --
SELECT (SELECT count(*) FROM events WHERE kind = 'unknown.received' AND at > %(since)s)::int AS unknown,
       (SELECT count(*) FROM events WHERE kind = 'envelope.unreadable' AND at > %(since)s)::int AS unreadable,
       ARRAY(SELECT DISTINCT body->>'reason' FROM events
             WHERE kind = 'envelope.unreadable' AND at > %(since)s ORDER BY 1) AS unreadable_reasons,
       (SELECT count(*) FROM events e
        WHERE e.kind = 'message.received' AND e.at > %(since)s
          AND NOT EXISTS (SELECT FROM whatsapp_messages m WHERE m.provider_message_id = e.body->>'id'))::int
           AS without_row,
       (SELECT count(*) FROM whatsapp_messages WHERE is_placeholder AND created_at > %(since)s)::int AS placeholders,
       (SELECT min(created_at) FROM whatsapp_messages WHERE is_placeholder AND created_at > %(since)s)
           AS oldest_placeholder,
       (SELECT count(*) FROM whatsapp_messages
        WHERE text IS NULL AND NOT is_placeholder AND created_at > %(since)s)::int AS without_text,
       (SELECT max(at) FROM events WHERE at > %(since)s) AS last_event_at,
       EXISTS (SELECT FROM stream_heads) AS has_stream

-- sum_waiting --
SELECT (SELECT count(*) FROM outbox WHERE settled_at IS NULL AND due_at < %(overdue)s)::int AS outbox_overdue,
       (SELECT min(due_at) FROM outbox WHERE settled_at IS NULL AND due_at < %(overdue)s) AS outbox_oldest,
       (SELECT count(*) FROM outbox WHERE state = 'unknown' AND created_at > %(since)s)::int AS outbox_unknown,
       (SELECT count(*) FROM webhook_endpoints WHERE failing_since IS NOT NULL)::int AS webhooks_failing,
       (SELECT min(failing_since) FROM webhook_endpoints) AS webhooks_oldest_failure,
       (SELECT count(*) FROM webhook_endpoints WHERE state = 'disabled')::int AS webhooks_disabled,
       (SELECT count(*) FROM webhook_dead_letters WHERE NOT is_redriving)::int AS dead_letters

-- find_clock --
SELECT clock_timestamp()

-- schema_version --
SELECT schema_version()

-- ring --
-- A hint as any other, to hear it come back.
SELECT pg_notify('recado', 'doctor:' || %(id)s)
