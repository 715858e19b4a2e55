-- Groups: who is in them, their rules, and how far each of their people is with what was written to them. `group_id` is
-- the group's conversation. The account itself is not among its members: its own role is one of the rules.

CREATE TABLE group_rules (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    group_id      uuid NOT NULL,
    rules         jsonb NOT NULL DEFAULT '{}',           -- as the API tells them
    PRIMARY KEY (mentorado_id, group_id),
    FOREIGN KEY (mentorado_id, group_id) REFERENCES conversations
);

CREATE TABLE conversation_members (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    group_id      uuid NOT NULL,
    contact_id    uuid NOT NULL,
    role          text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'admin', 'owner')),
    joined_at     timestamptz,                           -- NULL: was there when the group was first told
    PRIMARY KEY (mentorado_id, group_id, contact_id),
    FOREIGN KEY (mentorado_id, group_id) REFERENCES conversations,
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts
);
CREATE INDEX conversation_members_contact ON conversation_members (mentorado_id, contact_id);

CREATE TABLE message_receipts (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    message_id    bigint NOT NULL,
    contact_id    uuid NOT NULL,
    delivered_at  timestamptz NOT NULL,
    read_at       timestamptz,
    played_at     timestamptz,
    PRIMARY KEY (mentorado_id, message_id, contact_id),
    FOREIGN KEY (mentorado_id, message_id) REFERENCES whatsapp_messages,
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts
);
CREATE INDEX message_receipts_contact ON message_receipts (mentorado_id, contact_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['group_rules', 'conversation_members', 'message_receipts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE ON group_rules, message_receipts TO recado_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON conversation_members TO recado_app;
