-- Whose accounts, of those a worker has, something is due to be sent for, an errand or a request: a hint may be lost, and
-- this is the look from time to time, one for all of them. Ids only.
CREATE FUNCTION scan_outbox(for_worker uuid, of_now timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT DISTINCT l.mentorado_id FROM public.leases l
    WHERE l.worker_id = for_worker
      AND (EXISTS (SELECT FROM public.outbox o
                   WHERE o.mentorado_id = l.mentorado_id AND o.provider = l.provider
                     AND o.settled_at IS NULL AND o.due_at <= of_now)
           OR EXISTS (SELECT FROM public.errands e
                      WHERE e.mentorado_id = l.mentorado_id AND e.provider = l.provider AND e.due_at <= of_now)
           OR EXISTS (SELECT FROM public.requests r
                      WHERE r.mentorado_id = l.mentorado_id AND r.provider = l.provider
                        AND r.answered_at IS NULL AND r.due_at <= of_now))
$$;

REVOKE EXECUTE ON FUNCTION scan_outbox FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scan_outbox TO recado_app;
