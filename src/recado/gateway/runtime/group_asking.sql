-- Groups and channels nobody was ever told of whole.

-- list_unknown --
-- Whoever was told a group whole knows what the account itself is there, were it nothing; and of a channel its link.
SELECT c.id FROM conversations c LEFT JOIN group_rules g ON g.group_id = c.id
WHERE c.id = ANY (%(ids)s::uuid[]) AND NOT coalesce(g.rules ? CASE WHEN c.kind = 'group' THEN 'own_role' ELSE 'link' END, false)
ORDER BY c.id
