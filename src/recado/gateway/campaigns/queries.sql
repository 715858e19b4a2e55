-- Campaigns, their recipients, and the dry runs.

-- add_campaign --
INSERT INTO campaigns (id, name, text, purpose, provider, created_by, created_at, due_at)
VALUES (%(id)s, %(name)s, %(text)s, %(purpose)s, %(provider)s, %(actor)s, %(now)s, %(now)s)

-- find_campaign --
SELECT id, name, text, purpose, state, revision, provider, risk_accepted_by, risk_accepted_at, risk_text,
       proven_link_at, waits_for, due_at, created_by, created_at, started_at, ended_at
FROM campaigns WHERE id = %(id)s

-- lock_campaign --
SELECT id, name, text, purpose, state, revision, provider, risk_accepted_by, risk_accepted_at, risk_text,
       proven_link_at, waits_for, due_at, created_by, created_at, started_at, ended_at
FROM campaigns WHERE id = %(id)s FOR UPDATE

-- list_campaigns --
SELECT id, name, text, purpose, state, revision, provider, risk_accepted_by, risk_accepted_at, risk_text,
       proven_link_at, waits_for, due_at, created_by, created_at, started_at, ended_at
FROM campaigns
WHERE (created_at, id) < (coalesce(%(before_at)s::timestamptz, 'infinity'),
                          coalesce(%(before_id)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY created_at DESC, id DESC LIMIT %(limit)s

-- save_draft --
UPDATE campaigns SET name = %(name)s, text = %(text)s, purpose = %(purpose)s, provider = %(provider)s,
       revision = revision + 1
WHERE id = %(id)s

-- touch_draft --
UPDATE campaigns SET revision = revision + 1 WHERE id = %(id)s

-- save_start --
UPDATE campaigns SET state = 'running', provider = %(provider)s, started_at = %(now)s, due_at = %(now)s,
       proven_link_at = %(proven_link_at)s, risk_text = %(risk_text)s, waits_for = NULL,
       risk_accepted_by = CASE WHEN %(risk_text)s::text IS NOT NULL THEN %(actor)s END,
       risk_accepted_at = CASE WHEN %(risk_text)s::text IS NOT NULL THEN %(now)s::timestamptz END
WHERE id = %(id)s

-- save_state --
UPDATE campaigns SET state = %(state)s, due_at = %(now)s, waits_for = NULL, claimed_by = NULL, claimed_until = NULL,
       ended_at = CASE WHEN %(state)s IN ('finished', 'cancelled') THEN %(now)s::timestamptz END
WHERE id = %(id)s

-- save_stopped --
-- As a pause, which says why; what waits in the outbox goes.
UPDATE campaigns SET state = 'paused', waits_for = %(reason)s, due_at = %(now)s, claimed_by = NULL, claimed_until = NULL
WHERE id = %(id)s AND state = 'running' RETURNING id

-- scan_campaigns --
SELECT mentorado_id, id FROM scan_campaigns(%(worker_id)s, %(now)s, %(most)s)

-- claim_campaign --
-- One worker feeds a campaign at a time: its row is locked while it does, and its claim outlasts the step.
WITH free AS (
    SELECT id FROM campaigns
    WHERE id = %(id)s AND state = 'running' AND due_at <= %(now)s
      AND (claimed_by IS NULL OR claimed_by = %(worker_id)s OR claimed_until <= %(now)s)
    FOR UPDATE SKIP LOCKED
)
UPDATE campaigns c SET claimed_by = %(worker_id)s, claimed_until = %(until)s FROM free WHERE c.id = free.id
RETURNING c.id, c.name, c.text, c.purpose, c.state, c.revision, c.provider, c.risk_accepted_by, c.risk_accepted_at,
          c.risk_text, c.proven_link_at, c.waits_for, c.due_at, c.created_by, c.created_at, c.started_at, c.ended_at

-- save_step --
UPDATE campaigns SET due_at = %(due_at)s, waits_for = %(waits_for)s, proven_link_at = %(proven_link_at)s
WHERE id = %(id)s

-- add_recipients --
INSERT INTO campaign_recipients (campaign_id, contact_id, address, fields, state, reason, at)
SELECT %(campaign_id)s, contact_id, address, fields::jsonb, CASE WHEN reason IS NULL THEN 'waiting' ELSE 'skipped' END,
       reason, %(now)s
FROM unnest(%(contact_ids)s::uuid[], %(addresses)s::text[], %(fields)s::text[], %(reasons)s::text[])
    WITH ORDINALITY AS given (contact_id, address, fields, reason, place)
ORDER BY place

-- clear_recipients --
DELETE FROM campaign_recipients WHERE campaign_id = %(campaign_id)s

-- list_contacts --
SELECT contact_id FROM campaign_recipients WHERE campaign_id = %(campaign_id)s AND contact_id IS NOT NULL

-- count_recipients --
SELECT count(*) FROM campaign_recipients WHERE campaign_id = %(campaign_id)s

-- list_known_contacts --
SELECT id FROM whatsapp_contacts WHERE id = ANY (%(ids)s)

-- list_conversation_contacts --
SELECT id, contact_id FROM conversations WHERE id = ANY (%(ids)s) AND contact_id IS NOT NULL

-- list_recipients --
SELECT id, contact_id, address, fields, state, reason, attempt, message_id, at FROM campaign_recipients
WHERE campaign_id = %(campaign_id)s AND id > %(after)s AND (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY id LIMIT %(limit)s

-- list_waiting --
-- Who is to be fed next, with how they are reached and whether nobody has written with them yet. Two recipients who
-- turned out to be one person are one: the first stays.
SELECT r.id, r.contact_id, r.fields, r.attempt, p.phone, p.lid,
       NOT EXISTS (SELECT FROM conversations c JOIN whatsapp_messages m ON m.conversation_id = c.id
                   WHERE c.contact_id = r.contact_id) AS is_new_chat,
       EXISTS (SELECT FROM campaign_recipients o
               WHERE o.campaign_id = r.campaign_id AND o.contact_id = r.contact_id AND o.id <> r.id
                 AND o.state <> 'skipped' AND (o.state <> 'waiting' OR o.id < r.id)) AS is_double
FROM campaign_recipients r JOIN whatsapp_contacts p ON p.id = r.contact_id
WHERE r.campaign_id = %(campaign_id)s AND r.state = 'waiting' AND r.id > %(after)s
ORDER BY r.id LIMIT %(limit)s

-- list_repeated --
-- To whom this very text went already.
SELECT given.id FROM unnest(%(ids)s::bigint[], %(contact_ids)s::uuid[], %(texts)s::text[]) AS given (id, contact_id, text)
WHERE EXISTS (SELECT FROM conversations c JOIN whatsapp_messages m ON m.conversation_id = c.id
              WHERE c.contact_id = given.contact_id AND m.sent_at > %(since)s AND m.direction = 'out'
                AND m.status <> 'failed' AND m.text = given.text)

-- list_queued --
SELECT id, message_id FROM campaign_recipients
WHERE campaign_id = %(campaign_id)s AND state = 'queued' AND message_id IS NOT NULL ORDER BY id

-- save_queued --
UPDATE campaign_recipients SET state = 'queued', reason = NULL, message_id = %(message_id)s, at = %(now)s
WHERE campaign_id = %(campaign_id)s AND id = %(id)s AND state = 'waiting'

-- skip_recipient --
UPDATE campaign_recipients SET state = 'skipped', reason = %(reason)s, at = %(now)s
WHERE campaign_id = %(campaign_id)s AND id = %(id)s AND state = 'waiting'

-- fail_recipient --
UPDATE campaign_recipients SET state = 'failed', reason = %(reason)s, at = %(now)s
WHERE campaign_id = %(campaign_id)s AND id = %(id)s AND state = 'waiting'

-- put_back --
-- Its message was called back before the wire: it waits again, and the next message of it is another.
UPDATE campaign_recipients SET state = 'waiting', message_id = NULL, attempt = attempt + 1, at = %(now)s
WHERE campaign_id = %(campaign_id)s AND id = ANY (%(ids)s) AND state = 'queued'

-- skip_waiting --
UPDATE campaign_recipients SET state = 'skipped', reason = %(reason)s, at = %(now)s
WHERE campaign_id = %(campaign_id)s AND state = 'waiting'

-- settle_recipients --
-- What became of those that were queued, from the outbox.
UPDATE campaign_recipients r
SET state = CASE WHEN o.id IS NULL OR o.state = 'unknown' THEN 'unknown' WHEN o.state = 'failed' THEN 'failed' ELSE 'sent' END,
    reason = CASE WHEN o.state IN ('unknown', 'failed') THEN o.error END, at = %(now)s
FROM campaign_recipients q LEFT JOIN outbox o ON o.message_id = q.message_id
WHERE q.campaign_id = %(campaign_id)s AND q.state = 'queued' AND (o.id IS NULL OR o.settled_at IS NOT NULL)
  AND r.campaign_id = q.campaign_id AND r.id = q.id

-- count_states --
SELECT r.state, r.reason, count(*)::int AS recipients,
       (count(*) FILTER (WHERE m.status >= 'delivered'))::int AS delivered,
       (count(*) FILTER (WHERE m.status >= 'read'))::int AS read
FROM campaign_recipients r
LEFT JOIN whatsapp_messages m ON m.provider_message_id = r.message_id AND m.direction = 'out'
WHERE r.campaign_id = %(campaign_id)s GROUP BY r.state, r.reason ORDER BY r.state, r.reason

-- list_roads --
SELECT provider, state, linked_at FROM connections WHERE desired = 'connected'

-- has_received --
SELECT EXISTS (SELECT FROM whatsapp_messages
               WHERE provider = %(provider)s AND direction = 'in' AND source IN ('live', 'offline', 'resend')
                 AND NOT is_placeholder AND created_at >= %(since)s)

-- add_dry_run --
INSERT INTO campaign_dry_runs (id, campaign_id, revision, provider, report, made_by, at)
VALUES (%(id)s, %(campaign_id)s, %(revision)s, %(provider)s, %(report)s, %(actor)s, %(now)s)

-- find_dry_run --
SELECT id, revision, provider, report, made_by, at FROM campaign_dry_runs
WHERE id = %(id)s AND campaign_id = %(campaign_id)s
