-- scan_outbox --
SELECT scan_outbox(%(worker)s, %(now)s)
