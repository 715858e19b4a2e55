-- How the account's own devices order chats.

-- list_labels --
SELECT label_id, name, color FROM labels ORDER BY name, label_id
