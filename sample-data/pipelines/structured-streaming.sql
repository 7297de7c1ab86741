-- A tour of streaming queries over the six shop events in sample-data/events, two files of three rows.
--
--     highwater run sample-data/pipelines/structured-streaming.sql
--
-- Relative paths count from the current folder: run it from the repository's root. Checkpoints go to checkpoints/, the Parquet
-- files to out/. Run it again and every query goes on where it was: there is nothing new, so nothing is read. Add a file
-- to sample-data/events and the next run reads just that file.

CREATE STREAM events (event_id STRING, user_id STRING, event_type STRING, event_time TIMESTAMP, amount DOUBLE)
  USING json OPTIONS (path 'sample-data/events', maxFilesPerTrigger '1')
  WATERMARK event_time DELAY OF INTERVAL 10 MINUTES;

CREATE TABLE users (user_id STRING, name STRING) USING json OPTIONS (path 'sample-data/users');

-- 1. What each user has done so far. COMPLETE: every batch gives the whole result. A memory sink is a table of the query's name.
CREATE STREAMING QUERY spend_by_user
  OUTPUT MODE COMPLETE
  TRIGGER AVAILABLE NOW
  CHECKPOINT 'checkpoints/structured-streaming/spend_by_user'
  SINK memory
AS SELECT user_id, count(*) AS events, sum(amount) AS amount FROM events GROUP BY user_id;

-- 2. Events by the hour in which they happened. UPDATE: a batch gives the rows that it changed. The watermark follows the newest
--    event at a distance of ten minutes; an hour that it has passed is closed, and its state is let go.
CREATE STREAMING QUERY events_by_hour
  OUTPUT MODE UPDATE
  TRIGGER AVAILABLE NOW
  CHECKPOINT 'checkpoints/structured-streaming/events_by_hour'
  SINK memory
AS SELECT window, event_type, count(*) AS events, round(sum(amount), 2) AS amount
   FROM events GROUP BY window(event_time, '1 hour'), event_type;

-- 3. Every event to Parquet, exactly once. APPEND, the default: rows that will never change.
CREATE STREAMING QUERY events_to_parquet
  TRIGGER AVAILABLE NOW
  CHECKPOINT 'checkpoints/structured-streaming/events_to_parquet'
  SINK parquet OPTIONS (path 'out/structured-streaming/events')
AS SELECT * FROM events;

AWAIT QUERY spend_by_user TIMEOUT '60 seconds';
AWAIT QUERY events_by_hour TIMEOUT '60 seconds';
AWAIT QUERY events_to_parquet TIMEOUT '60 seconds';

-- Spend by user, once by itself and once with the names of a static table.
SELECT * FROM spend_by_user ORDER BY user_id;
SELECT u.name, s.events, s.amount FROM spend_by_user s JOIN users u ON s.user_id = u.user_id ORDER BY u.name;

-- Events by hour.
SELECT window.start AS hour, event_type, events, amount FROM events_by_hour ORDER BY hour, event_type;

-- The events as they stand in the Parquet files.
CREATE TABLE archived (event_id STRING, user_id STRING, event_type STRING, event_time TIMESTAMP, amount DOUBLE)
  USING parquet OPTIONS (path 'out/structured-streaming/events');
SELECT * FROM archived ORDER BY event_id;

-- What each batch read. The rows add up to the six events in a first run; in a second run there is no batch.
SHOW PROGRESS FOR spend_by_user;
SELECT count(*) AS batches, coalesce(sum(numInputRows), 0) AS input_rows FROM progress('spend_by_user');
