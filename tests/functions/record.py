#!/usr/bin/env python3
"""Record what Apache Spark answers for each line of expressions.sql.

usage: record.py            writes answers.jsonl beside this file

A line is an expression, or a whole SELECT. Needs: pip install pyspark==4.3.0 and a Java 17 runtime.
"""
import datetime as dt
import decimal
import json
import math
from pathlib import Path

from pyspark.sql import Row, SparkSession


def jsonable(value):
    """One Spark value as Highwater writes it."""
    if isinstance(value, Row):
        return dict(zip(value.__fields__, map(jsonable, value)))
    if isinstance(value, dict):
        return {str(jsonable(k)): jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(v) for v in value]
    if isinstance(value, dt.datetime):
        text = value.strftime("%Y-%m-%dT%H:%M:%S")
        text += f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
        return text + ("" if getattr(value, "ntz", False) else "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return str(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value


def main():
    here = Path(__file__).parent
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    with open(here / "answers.jsonl", "w") as out:
        for line in (here / "expressions.sql").read_text().splitlines():
            if not line or line.startswith("--"):
                continue
            text = line if line.startswith("SELECT ") else f"SELECT {line} AS r"
            answer = {"sql": line}
            try:
                frame = spark.sql(text)
                types = [f.dataType.simpleString() for f in frame.schema.fields]
                rows = [[jsonable(value) for value in row] for row in frame.collect()]
                answer |= {"columns": frame.columns, "types": types, "rows": rows}
            except Exception as error:
                condition = getattr(error, "getCondition", lambda: None)()
                answer["error"] = condition or str(error).splitlines()[0][:120]
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")


main()
