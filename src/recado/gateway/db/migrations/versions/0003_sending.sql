-- Scheduled sends, and the steps of each message on its way out.
SELECT;
