-- As the mentorado's own devices show a chat.

ALTER TABLE conversations
    ADD COLUMN is_archived boolean NOT NULL DEFAULT false,
    ADD COLUMN is_pinned boolean NOT NULL DEFAULT false,
    ADD COLUMN is_muted boolean NOT NULL DEFAULT false,
    ADD COLUMN muted_until timestamptz;
