-- an unknown statement
FROBNICATE QUERY q;

-- a misspelled statement
CRAETE STREAM s USING json;

-- a statement of other databases
INSERT INTO t VALUES (1);

-- a statement of other databases
ALTER TABLE t ADD COLUMN a INT;

-- no statement at all
42;

-- an unterminated string
SELECT 'abc FROM t;
STOP QUERY q;

-- an unterminated double-quoted string
SELECT
  "abc FROM t;

-- an unterminated comment
SELECT 1; /* and so on
SELECT 2;

-- an unterminated name
SELECT `abc FROM t;

-- a character that SQL does not have
SELECT a § b FROM t;

-- a missing semicolon between CREATE statements
CREATE STREAM s USING json OPTIONS (path 'a')
CREATE TABLE t USING json OPTIONS (path 'b');

-- a missing semicolon behind a SELECT
CREATE VIEW v AS SELECT * FROM s
CREATE STREAMING QUERY q AS SELECT * FROM v;

-- a missing semicolon behind STOP
STOP QUERY q
START QUERY q;

-- a missing semicolon behind SET
SET spark.sql.session.timeZone = UTC
SELECT 1;

-- stray tokens behind a statement
DROP QUERY q CASCADE;

-- stray tokens behind SHOW
SHOW QUERIES LIKE 'a';

-- an unknown thing to create
CREATE STREEM s USING json;

-- QUERY without STREAMING
CREATE QUERY q AS SELECT 1;

-- a missing name
CREATE STREAM USING json;

-- a missing name
CREATE VIEW AS SELECT 1;

-- a quoted name
CREATE STREAM 'events' USING json;

-- a name that is a number
CREATE STREAM 1st USING json;

-- a name of two parts
CREATE STREAM db.events USING json;

-- an empty name
DROP STREAM ``;

-- OR REPLACE and IF NOT EXISTS
CREATE OR REPLACE STREAM IF NOT EXISTS s USING json;

-- half of IF NOT EXISTS
CREATE STREAM IF EXISTS s USING json;

-- a missing format
CREATE STREAM s (a INT);

-- an empty schema
CREATE STREAM s () USING json;

-- a schema that is not closed
CREATE STREAM s (a INT, b DECIMAL(10,2) USING json;

-- a parenthesis too many
SELECT (a + b)) FROM t;

-- brackets that cross
SELECT a[(1]) FROM t;

-- a clause twice
CREATE STREAM s USING json OPTIONS (path 'a') OPTIONS (path 'b');

-- an option twice
CREATE STREAM s USING json OPTIONS (path 'a', PATH 'b');

-- an option's value without quotes
CREATE STREAM s USING json OPTIONS (path folder);

-- an option without value
CREATE STREAM s USING json OPTIONS (path);

-- an option's name with a dash
CREATE STREAM s USING json OPTIONS (max-files '1');

-- options without commas
CREATE STREAM s USING json OPTIONS (path 'a' mode 'b');

-- options without parentheses
CREATE STREAM s USING json OPTIONS path 'a';

-- a clause of another statement
CREATE STREAM s USING json TRIGGER ONCE;

-- a clause of another statement
CREATE TABLE t USING json WATERMARK a DELAY OF INTERVAL 1 MINUTE;

-- a clause of another statement
CREATE VIEW v OPTIONS (path 'a') AS SELECT 1;

-- a misspelled clause
CREATE STREAM s USNG json;

-- a table of a SELECT
CREATE TABLE t AS SELECT 1;

-- a watermark without DELAY
CREATE STREAM s USING json WATERMARK event_time INTERVAL 10 MINUTES;

-- a watermark without OF
CREATE STREAM s USING json WATERMARK event_time DELAY INTERVAL 10 MINUTES;

-- a delay without unit
CREATE STREAM s USING json WATERMARK event_time DELAY OF INTERVAL 10;

-- a delay in months
CREATE STREAM s USING json WATERMARK event_time DELAY OF INTERVAL 1 MONTH;

-- a delay in years, in a text
CREATE STREAM s USING json WATERMARK event_time DELAY OF '2 years';

-- a negative delay
CREATE STREAM s USING json WATERMARK event_time DELAY OF INTERVAL -5 SECONDS;

-- a misspelled unit
CREATE STREAM s USING json WATERMARK event_time DELAY OF INTERVAL 10 MINUETS;

-- no delay at all
CREATE STREAM s USING json WATERMARK event_time DELAY OF ten;

-- two watermarks on a view
CREATE VIEW v WATERMARK a DELAY OF '1 second' WATERMARK b DELAY OF '1 second' AS SELECT 1;

-- an unknown output mode
CREATE STREAMING QUERY q OUTPUT MODE UPSERT AS SELECT 1;

-- a misspelled output mode
CREATE STREAMING QUERY q OUTPUT MODE COMPLET AS SELECT 1;

-- OUTPUT without MODE
CREATE STREAMING QUERY q OUTPUT UPDATE AS SELECT 1;

-- an output mode twice
CREATE STREAMING QUERY q OUTPUT MODE UPDATE SINK memory OUTPUT MODE APPEND AS SELECT 1;

-- an unknown trigger
CREATE STREAMING QUERY q TRIGGER EVERY '1 second' AS SELECT 1;

-- half a trigger
CREATE STREAMING QUERY q TRIGGER PROCESSING '1 second' AS SELECT 1;

-- a trigger without its interval
CREATE STREAMING QUERY q TRIGGER PROCESSING TIME SINK memory AS SELECT 1;

-- a trigger in months
CREATE STREAMING QUERY q TRIGGER PROCESSING TIME '1 month' AS SELECT 1;

-- a trigger that is not built
CREATE STREAMING QUERY q TRIGGER CONTINUOUS '1 second' AS SELECT 1;

-- a checkpoint without quotes
CREATE STREAMING QUERY q CHECKPOINT checkpoints AS SELECT 1;

-- an empty checkpoint
CREATE STREAMING QUERY q CHECKPOINT '' AS SELECT 1;

-- a sink without a name
CREATE STREAMING QUERY q SINK OPTIONS (path 'a') AS SELECT 1;

-- partitions without parentheses
CREATE STREAMING QUERY q SINK parquet PARTITIONED BY day AS SELECT 1;

-- a misspelled clause of a query
CREATE STREAMING QUERY q CHEKPOINT 'a' AS SELECT 1;

-- a query without AS
CREATE STREAMING QUERY q SINK memory SELECT 1;

-- a query without SELECT
CREATE STREAMING QUERY q SINK memory AS;

-- a misspelled SELECT
CREATE VIEW v AS SELCT 1;

-- START without QUERY
START q;

-- DROP of something unknown
DROP TABEL t;

-- AWAIT with a number
AWAIT QUERY q TIMEOUT 60;

-- AWAIT with a misspelled word
AWAIT QUERY q TIMEOT '60 seconds';

-- SHOW of something unknown
SHOW STREAM;

-- SHOW PROGRESS without FOR
SHOW PROGRESS q;

-- SET without a value
SET spark.sql.session.timeZone =;

-- SET without =
SET spark.sql.session.timeZone 'UTC';

-- EXPLAIN of nothing
EXPLAIN q;

-- DESCRIBE of nothing
DESCRIBE;

-- a misspelled FROM
SELECT a FORM t;

-- a misspelled WHERE
SELECT a FROM t WHER a > 1;

-- a misspelled GROUP
SELECT a, count(*) FROM t GRUOP BY a;

-- a misspelled ORDER
SELECT a FROM t ORDR BY a;

-- a comma too many
SELECT a, b, FROM t;

-- a missing comma
SELECT a b c FROM t;

-- nothing selected
SELECT FROM t WHERE;

-- a query that stops in the middle
SELECT a FROM t WHERE a >

-- a keyword as a relation
SELECT a FROM select;

-- CASE without END
SELECT CASE WHEN a THEN 1 FROM t;

-- an interval without unit
SELECT at + INTERVAL 5 FROM t;

-- an interval in an unknown unit
SELECT at + INTERVAL '5 fortnights' FROM t;

-- an inner watermark without OF
SELECT * FROM events WATERMARK at DELAY INTERVAL 10 MINUTES;

-- an inner watermark without DELAY
SELECT * FROM events WATERMARK at INTERVAL 10 MINUTES;

-- an inner watermark behind the alias
SELECT * FROM events e WATERMARK at DELAY OF INTERVAL 10 MINUTES;

-- an inner watermark behind a subquery
SELECT * FROM (SELECT * FROM events) WATERMARK at DELAY OF INTERVAL 10 MINUTES;

-- two inner watermarks
SELECT * FROM events WATERMARK a DELAY OF '1 second' WATERMARK b DELAY OF '1 second';

-- WITHIN WATERMARK without DISTINCT ON
SELECT DISTINCT WITHIN WATERMARK a FROM events;

-- an inner watermark without its column
SELECT * FROM events WATERMARK DELAY OF INTERVAL 10 MINUTES;

-- an inner watermark on a nested column
SELECT * FROM events WATERMARK data.at DELAY OF INTERVAL 10 MINUTES;

-- a query nested too deeply
SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))));

-- a clause of SHOW STATE out of place
SHOW STATE FOR q LIMIT 5 OPERATOR 1;

-- a state operator without its number
SHOW STATE FOR q OPERATOR x;

-- an export to nowhere
EXPORT QUERY q 'rows.csv';
