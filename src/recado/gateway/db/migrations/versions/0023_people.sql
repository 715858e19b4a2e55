ALTER TABLE errands DROP CONSTRAINT errands_kind_check;
ALTER TABLE errands ADD CONSTRAINT errands_kind_check
    CHECK (kind IN ('read', 'look_up', 'block', 'unblock', 'watch', 'about', 'reject_call'));
ALTER TABLE errands ALTER COLUMN conversation_id DROP NOT NULL;
ALTER TABLE errands ADD COLUMN key uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE errands ADD COLUMN words text[] NOT NULL DEFAULT '{}';
