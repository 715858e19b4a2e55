-- Other numbers of a contact: Brazilian ones are dialled with a ninth digit that the account may not have, and who
-- changed their number had another before. One number is one person's; a former one may be given to somebody new.
CREATE TABLE contact_numbers (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    phone         text NOT NULL,                         -- digits
    contact_id    uuid NOT NULL,
    is_former     boolean NOT NULL DEFAULT false,        -- theirs no more: receipts may still name it
    learnt_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, phone),
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts
);
CREATE INDEX contact_numbers_contact ON contact_numbers (mentorado_id, contact_id);

ALTER TABLE contact_numbers ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_numbers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON contact_numbers TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado());
GRANT SELECT, INSERT, UPDATE ON contact_numbers TO recado_app;

-- Another number is an address like any: noted with the contact's, and what was asked under it before counts again.
CREATE FUNCTION note_number() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO contact_identifiers (mentorado_id, contact_id, kind, value, learnt_from)
    VALUES (NEW.mentorado_id, NEW.contact_id, 'phone', NEW.phone, 'number')
    ON CONFLICT (mentorado_id, contact_id, kind, value) DO UPDATE SET last_seen_at = now();
    PERFORM heed_erased(NEW.contact_id, ARRAY[NEW.phone]);
    RETURN NULL;
END $$;
CREATE TRIGGER numbers AFTER INSERT OR UPDATE ON contact_numbers FOR EACH ROW EXECUTE FUNCTION note_number();
