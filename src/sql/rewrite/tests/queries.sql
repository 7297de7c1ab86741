SELECT EVENT_ID, Events.User_Id, UPPER(Event_Type) FROM EVENTS

SELECT window, event_type, count(*) AS events FROM events GROUP BY window(event_time, '1 hour'), event_type HAVING window.start > '2026-01-01' ORDER BY window.end, Window

SELECT window.start, window.END AS till, count(*) FROM events GROUP BY window(event_time, '10 minutes', '5 minutes')

SELECT session_window.start AS start, user_id, sum(amount) FROM events GROUP BY session_window(event_time, CASE WHEN event_type = 'click' THEN '20 minutes' ELSE '2 minutes' END), user_id

SELECT window(window_time(window), '20 minutes').start AS start, sum(n) AS n FROM (SELECT window, count(*) AS n FROM events GROUP BY window(event_time, '5 minutes')) GROUP BY window(window_time(window), '20 minutes')

SELECT window(event_time, '1 hour'), window(event_time, '1 hour').start, count(*) FROM events GROUP BY ALL

SELECT window.start, n FROM by_hour ORDER BY window.start

SELECT i.window.start AS start, c.n FROM (SELECT window, count(*) AS n FROM events GROUP BY window(event_time, '1 hour')) i JOIN by_hour c ON i.window = C.Window

SELECT * FROM STREAM events WATERMARK Event_Time DELAY OF INTERVAL 10 MINUTES AS e JOIN Clicks WATERMARK at DELAY OF '1 hour' ON e.user_id = clicks.user_id AND at <= event_time + INTERVAL 1 HOUR 30 MINUTES

SELECT DISTINCT ON (User_Id, event_type) WITHIN WATERMARK user_id FROM events

SELECT DISTINCT ON (user_id) user_id, event_type FROM events

SELECT count(*), count(1), COUNT(DISTINCT v), sum(v) FILTER (WHERE v > 0), v + 1, -v, NOT v > 2, v IS NULL, cast(v AS INT), cast(v + 1 AS BIGINT), 'text', 1.5, true, k || 'x', v <> 1, CASE WHEN v > 1 THEN 'a' ELSE k END, v BETWEEN 1 AND 2, k IN ('a', 'b') FROM kv GROUP BY k, v

SELECT a <=> b, a == b, a DIV b + 1 * c, a RLIKE r'\d+', a NOT REGEXP 'x', !a, cast(a AS LONG), ceil(a, 2), floor(a), 2.5D, "text" FROM kv AS t (a, b)

SELECT k, TRANSFORM(vs, K -> K + v), filter(vs, (x, i) -> x > i) FROM kv

SELECT struct(*), struct(k, v AS w, v + 1), to_json(struct(kv.*)), concat(*), count(*), struct(e.user_id, kv.v) FROM kv JOIN events e ON k = user_id

SELECT k, n FROM (SELECT K, count(*) AS N FROM kv GROUP BY k) WHERE N > (SELECT avg(V) FROM KV AS inner_kv WHERE inner_kv.k = K) AND k IN (SELECT user_id FROM events) AND EXISTS (SELECT 1 FROM clicks WHERE click_id = k)

WITH Totals AS (SELECT K, sum(v) AS total FROM kv GROUP BY k), `named` (a, b) AS (SELECT * FROM totals) SELECT t.TOTAL, A FROM TOTALS t JOIN named ON t.k = named.A ORDER BY Total

SELECT k FROM kv UNION ALL SELECT event_id FROM Events ORDER BY K LIMIT 3

SELECT EVENT_ID, tag, t.TAG, e.user_id FROM events e LATERAL VIEW OUTER explode(Tags) t AS tag WHERE tag <> 'x'

SELECT event_id FROM events LATERAL VIEW explode(tags) a AS x LATERAL VIEW explode(split(x, ',')) b AS y WHERE b.Y = a.X

SELECT * FROM events LEFT SEMI JOIN kv ON user_id = K ANTI JOIN clicks USING (USER_ID)

SELECT * EXCEPT (EVENT_TIME), E.* EXCEPT (Amount) FROM events e CROSS JOIN kv JOIN clicks

SELECT Col1, b.x FROM (VALUES (1, 'a')), (VALUES (2)) AS b (x)

SELECT data.user_id, data.value, data.tags[0] AS first_tag, from_json(k, 'a INT').A FROM (SELECT from_json(k, 'user_id INT') AS data, k FROM kv)

SELECT k, row_number() OVER (PARTITION BY K ORDER BY V) AS r, sum(v) OVER w FROM kv WINDOW w AS (ORDER BY V) QUALIFY R = 1

SELECT k, v, count(*) FROM kv GROUP BY K, v WITH ROLLUP

SELECT E.Tags[0], e.tags[0] AS first, w.`WINDOW`.start, w.window.`start` AS s, get(w.window, 'end').x[1] FROM events e JOIN by_hour w ON e.event_time = w.window.start

SELECT explode(split(k, ' ')), explode(split(k, ',')) AS word FROM kv

SELECT nothing, Unknown.x FROM unknown JOIN kv ON K = unknown.id

SELECT *, USER_ID, e.user_id FROM events e FULL JOIN clicks USING (user_id) ORDER BY user_id

SELECT * EXCEPT (tags) FROM events RIGHT JOIN clicks USING (user_id) WHERE user_id > 1 GROUP BY ALL

SELECT * FROM events NATURAL JOIN clicks JOIN clicks c USING (user_id)

SELECT explode(v) AS (a, b), posexplode(tags), stack(2, 1, 2, 3) AS (x, y) FROM kv, events

SELECT p, a FROM events LATERAL VIEW posexplode(tags) t AS p, a
