ALTER TABLE connections
    ADD COLUMN history_progress smallint CHECK (history_progress BETWEEN 0 AND 100),
    ADD COLUMN history_at timestamptz;

ALTER TABLE errands DROP CONSTRAINT errands_kind_check;
ALTER TABLE errands ADD CONSTRAINT errands_kind_check
    CHECK (kind IN ('read', 'look_up', 'block', 'unblock', 'watch', 'about', 'reject_call', 'history'));
