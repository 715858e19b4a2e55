-- add_entry --
INSERT INTO audit_log (mentorado_id, actor, action, detail)
VALUES (%(mentorado_id)s, %(actor)s, %(action)s, %(detail)s)

-- list_entries --
SELECT id, mentorado_id, actor, action, detail, at FROM audit_log
WHERE id < coalesce(%(before)s, 9223372036854775807) ORDER BY id DESC LIMIT %(limit)s
