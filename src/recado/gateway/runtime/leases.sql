-- Who runs an account. A lease is live while its worker is; see db/schema/.

-- add_worker --
INSERT INTO workers (id, name, weight, expires_at)
VALUES (%(id)s, %(name)s, %(weight)s, clock_timestamp() + %(ttl)s)
ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp(), expires_at = excluded.expires_at

-- renew_worker --
-- Of one that is there: a worker that left does not come back by this.
UPDATE workers SET heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + %(ttl)s WHERE id = %(id)s

-- leave_worker --
UPDATE workers SET leaving_at = clock_timestamp() WHERE id = %(id)s AND leaving_at IS NULL

-- list_silent --
-- Processes that let every worker of theirs fall silent.
SELECT DISTINCT name FROM workers w
WHERE expires_at < clock_timestamp() AND name <> ''
  AND NOT EXISTS (SELECT FROM workers l WHERE l.name = w.name AND l.expires_at >= clock_timestamp())

-- delete_worker --
-- With its row every lease of it ends.
DELETE FROM workers WHERE id = %(id)s

-- delete_old_workers --
DELETE FROM workers WHERE expires_at < clock_timestamp() - interval '1 day'

-- claim_lease --
-- Free, ours already, or its worker is silent: then it is ours, with the next epoch. A worker that is silent itself gets none.
INSERT INTO leases AS l (provider, worker_id, epoch)
SELECT %(provider)s, %(worker)s, 1
WHERE EXISTS (SELECT FROM workers WHERE id = %(worker)s AND expires_at > clock_timestamp())
ON CONFLICT (mentorado_id, provider) DO UPDATE
SET worker_id = excluded.worker_id, epoch = l.epoch + 1, taken_at = clock_timestamp(), rests_until = NULL,
    is_linking = false
WHERE l.worker_id IS NULL OR l.worker_id = excluded.worker_id
   OR NOT EXISTS (SELECT FROM workers w WHERE w.id = l.worker_id AND w.expires_at > clock_timestamp())
RETURNING epoch

-- claim_accounts --
SELECT mentorado_id, provider, epoch, generation FROM claim_accounts(%(worker)s, %(providers)s, %(at_most)s, %(beyond)s)

-- release_lease --
UPDATE leases SET worker_id = NULL, is_linking = false, rests_until = clock_timestamp() + %(rest)s
WHERE provider = %(provider)s AND worker_id = %(worker)s AND epoch = %(epoch)s

-- check_lease --
SELECT check_lease(%(provider)s, %(worker)s, %(epoch)s)

-- take_link_turn --
SELECT take_link_turn(%(provider)s, %(worker)s, %(epoch)s)

-- end_link_turn --
UPDATE leases SET is_linking = false
WHERE provider = %(provider)s AND worker_id = %(worker)s AND epoch = %(epoch)s

-- scan_connections --
-- What runs here, and what is free; the others' own is theirs.
SELECT mentorado_id, provider, is_wanted, is_unlinking, state, generation, is_mine, is_free
FROM scan_connections(%(worker)s) WHERE is_mine OR is_free

-- survey_workers --
SELECT share, held, room_elsewhere, changes_in FROM survey_workers(%(worker)s)
