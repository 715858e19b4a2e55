-- API keys and data keys that change.
SELECT;
