-- Sharing the accounts among the workers.

-- Every live worker: how many accounts are its part of those that are wanted, rounded up, and how many it has. One that
-- is leaving has no part; one that has not renewed for half of its time is late, and perhaps dead.
CREATE FUNCTION worker_shares() RETURNS TABLE (worker_id uuid, share integer, held integer, is_late boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT w.id,
           coalesce(ceil((SELECT count(*) FROM public.scan_connections(NULL)) * w.weight
                         / nullif(sum(w.weight) OVER (), 0)), 0)::integer,
           (SELECT count(*) FROM public.leases l WHERE l.worker_id = w.id)::integer,
           w.is_late
    FROM (SELECT id, CASE WHEN leaving_at IS NULL THEN weight ELSE 0 END AS weight,
                 clock_timestamp() - heartbeat_at > (expires_at - heartbeat_at) / 2 AS is_late
          FROM public.workers WHERE expires_at > clock_timestamp()) AS w
$$;

-- Where one worker stands among the others: its part, what it has, how many the others still have room for (a late one
-- is given nothing), and in how many seconds something may change by time alone (a worker turns silent, an account has
-- rested). No row: it is silent.
CREATE FUNCTION survey_workers(for_worker uuid)
    RETURNS TABLE (share integer, held integer, room_elsewhere integer, changes_in double precision)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    WITH shares AS MATERIALIZED (SELECT * FROM public.worker_shares())
    SELECT mine.share, mine.held,
           (SELECT coalesce(sum(greatest(0, o.share - o.held)), 0) FROM shares o
            WHERE o.worker_id <> for_worker AND NOT o.is_late)::integer,
           extract(epoch FROM least(
               (SELECT min(expires_at) FROM public.workers WHERE id <> for_worker AND expires_at > clock_timestamp()),
               (SELECT min(rests_until) FROM public.leases WHERE rests_until > clock_timestamp())
           ) - clock_timestamp())::double precision
    FROM shares AS mine WHERE mine.worker_id = for_worker
$$;

-- Take as many free accounts as this worker's part allows, or `beyond` it too, and at most so many. Who takes at the same moment gets
-- others: a row somebody holds is passed by, so one stalled transaction keeps its own account from moving, no other.
CREATE FUNCTION claim_accounts(for_worker uuid, of_providers text[], at_most integer, beyond boolean)
    RETURNS TABLE (mentorado_id uuid, provider text, epoch bigint, generation bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    room integer;
    mentorados uuid[];
    providers text[];
BEGIN
    SELECT least(at_most, CASE WHEN beyond AND s.share > 0 THEN at_most ELSE s.share - s.held END)
        INTO room FROM public.worker_shares() s WHERE s.worker_id = for_worker;
    IF room IS NULL OR room <= 0 THEN
        RETURN;
    END IF;
    INSERT INTO public.leases (mentorado_id, provider, epoch)
        SELECT c.mentorado_id, c.provider, 0 FROM public.scan_connections(for_worker) c
        WHERE c.is_wanted AND c.is_free AND c.provider = ANY (of_providers)
          AND NOT EXISTS (SELECT FROM public.leases l WHERE l.mentorado_id = c.mentorado_id AND l.provider = c.provider)
        LIMIT room
        ON CONFLICT DO NOTHING;
    SELECT array_agg(locked.mentorado_id), array_agg(locked.provider) INTO mentorados, providers FROM (
        SELECT l.mentorado_id, l.provider
        FROM public.scan_connections(for_worker) c
        JOIN public.leases l ON l.mentorado_id = c.mentorado_id AND l.provider = c.provider
        WHERE c.is_wanted AND c.is_free AND c.provider = ANY (of_providers)
          AND (l.rests_until IS NULL OR l.rests_until <= clock_timestamp())
        LIMIT room
        FOR UPDATE OF l SKIP LOCKED
    ) AS locked;
    -- A statement of its own sees what was committed before the rows were ours to lock.
    RETURN QUERY
        UPDATE public.leases l
        SET worker_id = for_worker, epoch = l.epoch + 1, taken_at = clock_timestamp(), rests_until = NULL,
            is_linking = false
        FROM unnest(mentorados, providers) AS locked (mentorado_id, provider)
        JOIN public.connections c ON c.mentorado_id = locked.mentorado_id AND c.provider = locked.provider
        WHERE l.mentorado_id = locked.mentorado_id AND l.provider = locked.provider
          AND NOT EXISTS (SELECT FROM public.workers w WHERE w.id = l.worker_id AND w.expires_at > clock_timestamp())
        RETURNING l.mentorado_id, l.provider, l.epoch, c.generation;
END $$;

-- One account shows a code at a time, whatever the worker; the turn ends with the lease, however that ends.
CREATE FUNCTION take_link_turn(of_provider text, of_worker uuid, of_epoch bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7264111006);
    PERFORM FROM public.leases l JOIN public.workers w ON w.id = l.worker_id
        WHERE l.is_linking AND w.expires_at > clock_timestamp()
          AND NOT (l.mentorado_id = public.current_mentorado() AND l.provider = of_provider);
    IF FOUND THEN
        RETURN false;
    END IF;
    UPDATE public.leases SET is_linking = true
        WHERE mentorado_id = public.current_mentorado() AND provider = of_provider
          AND worker_id = of_worker AND epoch = of_epoch;
    RETURN FOUND;
END $$;

-- Does a live worker have this connection? What the row says of one that nobody runs is a dead worker's last word.
CREATE FUNCTION is_run(of_mentorado uuid, of_provider text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT EXISTS (SELECT FROM public.leases l JOIN public.workers w ON w.id = l.worker_id
                   WHERE l.mentorado_id = of_mentorado AND l.provider = of_provider
                     AND w.expires_at > clock_timestamp())
$$;

-- Where a connection stands, told truthfully: what a worker's row says counts while a live worker has it.
CREATE FUNCTION shown_state(c connections) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE
        WHEN c.state NOT IN ('connected', 'qr', 'code', 'passkey')
            OR is_run(c.mentorado_id, c.provider) THEN c.state
        WHEN c.desired <> 'connected' THEN 'disconnected'
        WHEN c.state = 'connected' THEN 'reconnecting'
        ELSE 'connecting'
    END
$$;

-- The functions above take accounts for whole workers, as the owner of the tables.
CREATE POLICY claims ON leases TO CURRENT_USER USING (true);

REVOKE EXECUTE ON FUNCTION worker_shares, survey_workers, claim_accounts, take_link_turn, is_run FROM PUBLIC;
GRANT EXECUTE ON FUNCTION worker_shares, survey_workers, claim_accounts, take_link_turn, is_run TO recado_app;
