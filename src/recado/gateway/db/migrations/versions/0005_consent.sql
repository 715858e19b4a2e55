-- Who agreed to what; campaigns.
SELECT;
