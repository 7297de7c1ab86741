CREATE STREAM events (event_id STRING, user_id STRING, event_time TIMESTAMP, amount DOUBLE)
  USING json OPTIONS (path 'sample-data/events', maxFilesPerTrigger '1')
  WATERMARK event_time DELAY OF INTERVAL 10 MINUTES;
create or replace stream `my stream` (who STRUCT<name: STRING, tags: ARRAY<DECIMAL(10,2)>>, `odd name` INT)
  watermark at delay of '1 hour' using kafka
  options (kafka.bootstrap.servers = 'a:9092,b:9092', "startingOffsets" "earliest", failOnDataLoss false, minPartitions = 4, offset -1.5);
CREATE STREAM IF NOT EXISTS ticks USING rate OPTIONS ();
CREATE TABLE users (user_id STRING, name STRING) USING json OPTIONS (path 'sample-data/users');
CREATE OR REPLACE VIEW purchases AS SELECT * FROM events WHERE event_type = 'purchase';
CREATE TEMPORARY VIEW parsed WATERMARK at DELAY OF INTERVAL '90' SECOND AS
  SELECT from_json(value, 'at TIMESTAMP').at AS at FROM raw;
CREATE STREAMING QUERY events_by_hour
  OUTPUT MODE UPDATE TRIGGER PROCESSING TIME '1 second' CHECKPOINT 'checkpoints/events_by_hour' SINK memory
AS SELECT window, event_type, count(*) AS events FROM events GROUP BY window(event_time, '1 hour'), event_type;
CREATE OR REPLACE STREAMING QUERY to_files
  SINK parquet OPTIONS (path 'out', compression 'zstd') PARTITIONED BY (day, `event type`)
  TRIGGER AVAILABLE NOW
AS (SELECT 1);
CREATE STREAMING QUERY q2 SINK exec PARTITIONED BY (a) OPTIONS (command 'cat') TRIGGER PROCESSING TIME INTERVAL '1' SECOND
  OUTPUT MODE complete AS WITH t AS (SELECT 1 AS a) SELECT a FROM t;
CREATE STREAMING QUERY IF NOT EXISTS q3 TRIGGER ONCE AS
  SELECT DISTINCT ON (user_id) WITHIN WATERMARK user_id FROM STREAM events WATERMARK event_time DELAY OF INTERVAL 1 HOUR 30 MINUTES AS e
  JOIN STREAM(clicks) c ON e.id = c.id;
START QUERY q; STOP STREAMING QUERY q; RESTART QUERY `q`; RESET QUERY q; EXPORT QUERY q TO 'rows.csv';
DROP QUERY IF EXISTS q; DROP STREAM events; DROP TABLE users; DROP VIEW IF EXISTS purchases;
AWAIT QUERY q; AWAIT QUERY q TIMEOUT '60 seconds'; AWAIT QUERY q TIMEOUT INTERVAL '1 00:00:30' DAY TO SECOND;
SHOW STREAMS; SHOW TABLES; SHOW QUERIES; SHOW VIEWS; SHOW FUNCTIONS;
SHOW PROGRESS FOR q; SHOW STATE FOR q; SHOW STATE FOR q OPERATOR 1 AS OF BATCH 12 LIKE 'a' LIMIT 5;
DESCRIBE QUERY q; DESC events; DESCRIBE TABLE users; DESCRIBE query;
EXPLAIN QUERY q; EXPLAIN ANALYZE QUERY q; EXPLAIN SELECT 1; EXPLAIN ANALYZE (SELECT 1);
SET spark.sql.streaming.multipleWatermarkPolicy = max; SET spark.sql.session.timeZone = 'Europe/Oslo';
SET TIME ZONE 'UTC'; SET spark.sql.streaming.minBatchesToRetain = 10; SET a.b = -1.5, x y;
SELECT window.start, stream, watermark FROM stream watermark WHERE a <=> b AND c == d AND NOT e RLIKE r'\d+' AND !f;
SELECT a DIV b * c, 1.5D, 2L, INTERVAL -1 DAY, transform(xs, x -> x + 1), filter(xs, (x, i) -> x > i), m['k'], s.x.y,
  struct(*), struct(a, b AS c), named_struct('a', 1), array(1, 2), map('a', 1), cast(a AS STRING), a::BIGINT,
  sum(v) FILTER (WHERE v > 0), count(DISTINCT v), "text" 'joined', x'00ff', a || b, a << 1, date '2026-01-01',
  timestamp '2026-01-01 00:00:00', CASE a WHEN 1 THEN 'x' ELSE 'y' END AS `end`, * EXCEPT (a), t.*
FROM t LEFT SEMI JOIN u ON t.a = u.a LEFT ANTI JOIN v USING (a), (VALUES (1, 'x'), (2, 'y')) AS w (a, b)
LATERAL VIEW OUTER explode(xs) x AS x;
SELECT a, count(*) FROM t GROUP BY ALL HAVING count(*) > 1 ORDER BY a DESC NULLS LAST LIMIT 10 OFFSET 2;
SELECT a, row_number() OVER (PARTITION BY b ORDER BY c) AS r FROM t QUALIFY r = 1;
SELECT a FROM t TABLESAMPLE (10 PERCENT) UNION ALL SELECT a FROM u EXCEPT SELECT a FROM v;
SELECT watermark, delay, stream x FROM a, STREAM b WATERMARK t DELAY OF '1 second', STREAM c WHERE f(stream, delay) > 1;
VALUES (1), (2)
