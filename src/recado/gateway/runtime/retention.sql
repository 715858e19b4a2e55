-- What is thrown away when its time is over. The functions delete; see db/schema/89_retention.sql.

-- claim_chore --
-- Whoever moves the time on does it: one worker of many.
INSERT INTO chores AS c (name, next_at) VALUES (%(name)s, %(next_at)s)
ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at WHERE c.next_at <= %(now)s
RETURNING name

-- forget_events --
SELECT forget_events(%(before)s, %(most)s, %(owed_before)s)

-- forget_payloads --
SELECT forget_payloads(%(before)s, %(most)s)

-- forget_media --
SELECT forget_media(%(before)s, %(most)s)

-- forget_settled --
SELECT forget_settled(%(before)s, %(most)s)

-- forget_steps --
SELECT forget_steps(%(before)s, %(most)s)

-- forget_leftovers --
SELECT forget_leftovers(%(before)s, %(most)s)

-- forget_backups --
SELECT forget_backups(%(before)s, %(most)s)
