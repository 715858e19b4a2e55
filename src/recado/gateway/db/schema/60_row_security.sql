-- Row-level security.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['api_keys', 'data_keys', 'audit_log', 'connections', 'leases', 'baileys_sessions',
                                'baileys_backups', 'whatsapp_contacts', 'leads', 'conversations',
                                'whatsapp_messages', 'outbox', 'stream_heads', 'events']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

ALTER TABLE mentorados ENABLE ROW LEVEL SECURITY;
ALTER TABLE mentorados FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON mentorados TO recado_app USING (id = current_mentorado());

-- What an administrator's unit adds: the list of mentorados, their keys and the audit, and the state of connections.
-- Conversations, messages and sessions are seen only from inside a mentorado's own unit, an administrator's too.
CREATE POLICY admin ON mentorados TO recado_app USING (is_admin());
CREATE POLICY admin ON api_keys TO recado_app USING (is_admin());
CREATE POLICY admin ON audit_log TO recado_app USING (is_admin());
CREATE POLICY admin ON stream_heads FOR INSERT TO recado_app WITH CHECK (is_admin());
CREATE POLICY admin_reads ON connections FOR SELECT TO recado_app USING (is_admin());

-- The functions at the end run as the owner of the tables, who is held by FORCE too unless a superuser: the policy
-- `own` is the owner's too, and the scans see the rows of all.
CREATE POLICY scans ON api_keys FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY scans ON connections FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY scans ON leases FOR SELECT TO CURRENT_USER USING (true);

GRANT SELECT, INSERT, UPDATE ON mentorados, api_keys, connections, workers, leases, leads, conversations,
    whatsapp_messages, outbox, stream_heads TO recado_app;
GRANT SELECT, INSERT, UPDATE ON whatsapp_contacts TO recado_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON baileys_sessions TO recado_app;
GRANT SELECT, INSERT ON data_keys, audit_log, events, baileys_backups TO recado_app;
GRANT DELETE ON workers TO recado_app;
