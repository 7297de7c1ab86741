-- The demo: a shop that never closes, made up in SQL from the rate source. It needs no files, no broker and no set-up.
--
--     highwater demo
--
-- It keeps nothing: the workbench runs it in a temporary folder. Without a screen, in a folder of your own:
--
--     highwater run sample-data/pipelines/demo.sql --for 5s --output json
--
-- Checkpoints go to checkpoints/demo and Parquet files to out/demo, both in the current folder.

-- A counter: 2000 rows a second, ten times a second (tickMillis is ours, Spark's rate source ticks by the second).
CREATE STREAM ticks USING rate OPTIONS (rowsPerSecond '2000', tickMillis '100');

-- Numbers that look like chance: the same value always makes the same event, so a replay after a crash gives the same rows. The
-- remainders are by different primes: together they repeat after ten thousand million rows.
CREATE VIEW dice AS SELECT
    timestamp, value, value * 7919 % 1009 AS kind, value * 6151 % 997 AS place, value * 5381 % 9973 AS size
  FROM ticks;

-- The shop's events. Two in a hundred come up to 9 seconds late, which the watermark waits for, and one in a hundred comes two
-- minutes late, after its window was closed: it is dropped, and counted in numRowsDroppedByWatermark.
CREATE VIEW shop_events WATERMARK event_time DELAY OF INTERVAL 10 SECONDS AS SELECT
    concat('e', CAST(value AS STRING)) AS event_id,
    concat('user-', lpad(CAST(CAST(floor(place * place / 24850.0) AS INT) + 1 AS STRING), 2, '0')) AS user_id,
    CASE WHEN kind < 600 THEN 'view' WHEN kind < 850 THEN 'cart' WHEN kind < 980 THEN 'purchase' ELSE 'refund' END AS event_type,
    CASE WHEN place % 5 = 0 THEN 'DE' WHEN place % 5 = 1 THEN 'FR' WHEN place % 5 = 2 THEN 'JP' WHEN place % 5 = 3 THEN 'BR' ELSE 'US' END AS country,
    CASE WHEN kind >= 850 AND kind < 980 THEN round(size / 50.0 + 1, 2) WHEN kind >= 980 THEN round(-size / 50.0 - 1, 2) ELSE 0.0 END AS amount,
    CASE WHEN value % 100 = 17 THEN timestamp - INTERVAL 2 MINUTES
         WHEN value % 50 = 31 THEN timestamp - INTERVAL 9 SECONDS
         ELSE timestamp END AS event_time
  FROM dice;

-- Live from the first tick on: each batch gives the windows that it changed.
CREATE STREAMING QUERY orders_by_window
  OUTPUT MODE UPDATE
  TRIGGER PROCESSING TIME '200 milliseconds'
  CHECKPOINT 'checkpoints/demo/orders_by_window'
  SINK memory
AS SELECT window.start AS start, event_type, count(*) AS events, round(sum(amount), 2) AS amount
   FROM shop_events GROUP BY window(event_time, '10 seconds'), event_type;

-- Final numbers: a window comes out once, when the watermark has passed its end, and its state is let go.
CREATE STREAMING QUERY revenue_per_window
  OUTPUT MODE APPEND
  TRIGGER PROCESSING TIME '1 second'
  CHECKPOINT 'checkpoints/demo/revenue_per_window'
  SINK memory
AS SELECT window.start AS start, window.end AS end, country, count(*) AS orders, round(sum(amount), 2) AS revenue
   FROM shop_events WHERE event_type = 'purchase' GROUP BY window(event_time, '10 seconds'), country;

-- A leader board: the whole result, sorted, every second.
CREATE STREAMING QUERY totals_by_user
  OUTPUT MODE COMPLETE
  TRIGGER PROCESSING TIME '1 second'
  CHECKPOINT 'checkpoints/demo/totals_by_user'
  SINK memory
AS SELECT user_id, count(*) AS events, count(*) FILTER (WHERE event_type = 'purchase') AS orders, round(sum(amount), 2) AS spent,
          max(event_time) AS last_seen
   FROM shop_events GROUP BY user_id ORDER BY spent DESC;

-- One row: how the shop does in all. Without a TRIGGER a batch begins as soon as there is data: ten times a second here.
CREATE STREAMING QUERY shop_totals
  OUTPUT MODE COMPLETE
  CHECKPOINT 'checkpoints/demo/shop_totals'
  SINK memory
AS SELECT count(*) AS events, count(DISTINCT user_id) AS users, round(sum(amount), 2) AS revenue, round(avg(amount), 4) AS per_event
   FROM shop_events;

-- No state: dear purchases to Parquet, a folder a country, a file a batch.
CREATE STREAMING QUERY dear_purchases
  TRIGGER PROCESSING TIME '5 seconds'
  CHECKPOINT 'checkpoints/demo/dear_purchases'
  SINK parquet OPTIONS (path 'out/demo/dear_purchases') PARTITIONED BY (country)
AS SELECT event_id, user_id, country, event_time, amount FROM shop_events WHERE event_type = 'purchase' AND amount >= 190;
