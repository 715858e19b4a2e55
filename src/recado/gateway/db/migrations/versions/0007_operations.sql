-- Backups, recovery, retention.
SELECT;
