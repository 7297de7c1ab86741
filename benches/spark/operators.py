#!/usr/bin/env python3
"""The twin of `cargo bench --bench operators` on PySpark, over the files that it has generated.

    cargo bench --bench operators
    pip install pyspark==4.3.0
    python benches/spark/operators.py "$CARGO_TARGET_DIR/tmp"

Prints rows a second of each query, from its start to its end, and writes them to `rows_per_second.json` beside this
file, from where the bench takes them. Spark is set up for a small machine: as many shuffle partitions as cores (200 by
default, which is slower here), a warmed-up JVM, a sink that writes nothing.
"""
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

RUNS = 2


def session():
    return (
        SparkSession.builder.master("local[*]")
        .config("spark.driver.memory", "8g")
        .config("spark.sql.shuffle.partitions", os.cpu_count())
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )


def stream(spark, folder, schema, files):
    return spark.readStream.schema(schema).option("maxFilesPerTrigger", files).json(str(folder))


def sessions(spark, data):
    events = stream(spark, data / "sessions-4m", "user_id STRING, event_time TIMESTAMP, amount DOUBLE", 4)
    return (
        events.withWatermark("event_time", "1 minute")
        .groupBy(F.session_window("event_time", "30 minutes"), "user_id")
        .agg(F.count("*").alias("n"), F.sum("amount").alias("spent"))
    )


def deduplication(spark, data):
    events = stream(spark, data / "duplicates-6m", "event_id STRING, event_time TIMESTAMP, amount DOUBLE", 4)
    return events.dropDuplicates(["event_id"])


def join(spark, data):
    impressions = stream(spark, data / "impressions-2m", "ad BIGINT, seen TIMESTAMP, cost DOUBLE", 2)
    clicks = stream(spark, data / "clicks-1m", "clicked_ad BIGINT, clicked TIMESTAMP, user_id STRING", 2)
    return impressions.withWatermark("seen", "1 minute").join(
        clicks.withWatermark("clicked", "1 minute"),
        F.expr("ad = clicked_ad AND clicked BETWEEN seen AND seen + INTERVAL 1 HOUR"),
    )


QUERIES = {"sessions": (sessions, 4_000_000), "deduplication": (deduplication, 6_000_000), "join": (join, 3_000_000)}


def run(spark, query, data):
    with tempfile.TemporaryDirectory() as checkpoint:
        begun = time.monotonic()
        running = (
            query(spark, data)
            .writeStream.format("noop")
            .outputMode("append")
            .option("checkpointLocation", checkpoint)
            .trigger(availableNow=True)
            .start()
        )
        running.awaitTermination()
        took = time.monotonic() - begun
        rows = sum(progress.numInputRows for progress in running.recentProgress)
        return took, rows


def main():
    data = Path(sys.argv[1])
    spark = session()
    spark.sparkContext.setLogLevel("ERROR")
    rates = {}
    for name, (query, expected) in QUERIES.items():
        best = None
        for _ in range(RUNS):
            took, rows = run(spark, query, data)
            assert rows == expected, f"{name}: {rows} rows of {expected}"
            best = min(best or took, took)
        rates[name] = round(expected / best)
        print(f"{name:<15} {rates[name]:>12,} rows/s", flush=True)
    result = {
        "spark": pyspark.__version__,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "rows_per_second": rates,
    }
    Path(__file__).with_name("rows_per_second.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
