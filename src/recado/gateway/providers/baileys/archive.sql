-- Copies of a mentorado's session, made before anything of it is deleted.

-- back_up --
INSERT INTO baileys_backups (backup_id, key, value, key_id, expires_at, reason)
SELECT %(backup_id)s, key, value, key_id, expires_at, %(reason)s FROM baileys_sessions

-- back_up_unless_done --
-- These very credentials are in a backup already: it was made a moment ago, on the way here.
INSERT INTO baileys_backups (backup_id, key, value, key_id, expires_at, reason)
SELECT %(backup_id)s, key, value, key_id, expires_at, %(reason)s FROM baileys_sessions
WHERE NOT EXISTS (SELECT FROM baileys_backups b JOIN baileys_sessions s USING (mentorado_id, key, value)
                  WHERE s.key = 'creds')

-- delete_rows --
DELETE FROM baileys_sessions WHERE key = ANY (%(keys)s)

-- find_browser --
SELECT b.linked_as, b.says, (SELECT value FROM baileys_sessions WHERE key = 'creds')
FROM (SELECT) AS always LEFT JOIN browsers b ON b.provider = 'baileys'

-- save_browser --
INSERT INTO browsers AS b (provider, linked_as, says) VALUES ('baileys', %(linked_as)s, %(says)s)
ON CONFLICT (mentorado_id, provider) DO UPDATE
SET linked_as = excluded.linked_as, says = excluded.says, changed_at = now()

-- list_backups --
SELECT backup_id AS id, min(made_at) AS made_at, min(reason) AS reason, count(*)::int AS keys,
       bool_or(key = 'creds') AS has_credentials
FROM baileys_backups GROUP BY backup_id ORDER BY min(made_at) DESC, backup_id LIMIT %(limit)s

-- read_backup --
SELECT key, value, expires_at FROM baileys_backups WHERE backup_id = %(backup_id)s ORDER BY key
