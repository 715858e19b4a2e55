-- The steps of a message on its way out. Most are written beside what they tell of: see queries.sql, runtime/outbox.sql
-- and runtime/projector.sql.

-- add_step --
INSERT INTO message_steps (message_id, at, step, worker_id, rule, detail, until)
VALUES (%(message_id)s, %(at)s, %(step)s, %(worker)s, %(rule)s, %(detail)s, %(until)s)

-- list_steps --
SELECT s.at, s.step, s.worker_id, w.name AS worker_name, s.rule, s.detail, s.until
FROM message_steps s LEFT JOIN workers w ON w.id = s.worker_id
WHERE s.message_id = %(message_id)s ORDER BY s.id
