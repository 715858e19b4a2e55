-- Channels: what is known of one beside its name and posts. A channel is a conversation; what is known stands where a
-- group's rules do.

-- save_channel --
WITH named AS (
    UPDATE conversations SET title = coalesce(nullif(%(name)s, ''), title) WHERE id = %(id)s
)
INSERT INTO group_rules AS g (group_id, rules) VALUES (%(id)s, %(known)s)
ON CONFLICT (mentorado_id, group_id) DO UPDATE SET rules = g.rules || excluded.rules

-- find_channel --
SELECT rules FROM group_rules WHERE group_id = %(id)s
