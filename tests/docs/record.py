#!/usr/bin/env python3
"""Record the names of Apache Spark's functions.

usage: record.py            writes spark_functions.txt beside this file

Needs: pip install pyspark==4.3.0 and a Java 17 runtime.
"""
from pathlib import Path

from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
names = [row[0] for row in spark.sql("SHOW FUNCTIONS").collect()]
(Path(__file__).parent / "spark_functions.txt").write_text("\n".join(names) + "\n")
