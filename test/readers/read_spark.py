"""Reads a tree with Spark, which has no reader of Arrow files: python read_spark.py ROOT RUN_DATE"""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, unix_micros

from cells import COLUMNS, give

root, run_date = sys.argv[1:]

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "2")
    .getOrCreate()
)


def rows_of(frame):
    frame = frame.where(col("run_date") == run_date)
    if dict(frame.dtypes)["created_at"] == "timestamp":
        # As a number: Python's own type ends at the years 1 and 9999.
        frame = frame.withColumn("created_at", unix_micros("created_at"))
    return [row.asDict() for row in frame.collect()]


for stream, columns in COLUMNS.items():
    texts = ", ".join(f"{name} STRING" for name in columns)
    parquet = spark.read.parquet(f"{root}/parquet/{stream}")
    assert dict(parquet.dtypes)["created_at"] == "timestamp", parquet.dtypes
    give("parquet", stream, rows_of(parquet))
    # By default Spark takes the empty text for null; any text that stands nowhere keeps them apart.
    as_written = dict(header=True, multiLine=True, escape='"', lineSep="\r\n", nullValue="\0null\0")
    give("csv", stream, rows_of(spark.read.schema(texts).csv(f"{root}/csv/{stream}", **as_written)))
    give("ndjson", stream, rows_of(spark.read.schema(texts).json(f"{root}/ndjson/{stream}", lineSep="\n")))

spark.stop()
