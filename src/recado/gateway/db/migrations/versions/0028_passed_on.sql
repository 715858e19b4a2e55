-- Messages that are passed on, or disappear, say so when they leave.

ALTER TABLE outbox
    ADD COLUMN forwarded integer NOT NULL DEFAULT 0,
    ADD COLUMN expires_in integer;
