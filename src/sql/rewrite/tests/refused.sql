SELECT count(*) FROM events GROUP BY window(event_time, '1 hour'), window(event_time, '2 hours')

SELECT window(event_time, '2 hours').start, count(*) FROM events
GROUP BY window(event_time, '1 hour')

SELECT count(*) FROM events GROUP BY window(event_time, '1 hour'), session_window(event_time, '1 hour')

SELECT k FROM kv SORT BY v

SELECT k FROM kv CLUSTER BY k

SELECT k FROM kv DISTRIBUTE BY k

SELECT k FROM kv TABLESAMPLE (10 PERCENT)

SELECT k FROM db.kv

SELECT * FROM events WATERMARK evnt_time DELAY OF INTERVAL 1 MINUTE

WITH e AS (SELECT * FROM events) SELECT * FROM e WATERMARK event_time DELAY OF INTERVAL 1 MINUTE

SELECT DISTINCT ON () WITHIN WATERMARK k FROM kv

SELECT struct(*) FROM unknown

SELECT a FROM kv JOIN events ON k = user_id LATERAL VIEW explode(tags) t AS a

SELECT k FROM kv FOR UPDATE
