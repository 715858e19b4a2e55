-- Shares, handing over, and accounts that make no progress.
SELECT;
