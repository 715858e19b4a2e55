-- Where a mentorado's events are posted, and how that went.
SELECT;
