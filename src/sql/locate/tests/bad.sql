SELECT nope FROM kv

SELECT event_id, user_idd FROM events

SELECT e.nope FROM events e

SELECT f.event_id FROM events e

SELECT event_id FROM events WHERE evnt_type = 'x'

SELECT k FROM kv GROUP BY kk

SELECT k FROM kv ORDER BY kkk

SELECT * FROM nowhere

SELECT * FROM event

SELECT * FROM kv JOIN nowhere ON kv.k = nowhere.k

SELECT frobnicate(k) FROM kv

SELECT k, uper(k) FROM kv

SELECT user_id FROM events JOIN clicks ON events.user_id = clicks.user_id

SELECT k, v, count(*) FROM kv GROUP BY k

SELECT e.user_id, max(amount) FROM events e GROUP BY event_id

SELECT k, v AS k FROM kv

SELECT round('a', 'b', 'c') FROM kv

SELECT k, sum(tags) FROM kv CROSS JOIN events GROUP BY k

SELECT upper() FROM kv

SELECT upper(k, k) FROM kv

SELECT k FROM kv WHERE tags > 1

SELECT tags + 1 FROM events

SELECT * FROM events WHERE event_time > amount

SELECT k FROM kv WHERE v

SELECT k FROM kv UNION ALL SELECT k, v FROM kv

SELECT sum(v) FROM kv WHERE sum(v) > 1

SELECT window.middle FROM by_hour

SELECT k.field FROM kv

SELECT cast(k AS NOTHING) FROM kv

SELECT k FROM kv WHERE k IN (SELECT event_id, user_id FROM events)

SELECT k, sum(sum(v)) FROM kv GROUP BY k

SELECT k FROM kv LIMIT k

SELECT k FROM kv HAVING v > 1

SELECT DISTINCT k FROM kv ORDER BY v

SELECT `k` FROM kv
WHERE v > 1
  AND unknown_column = 2
