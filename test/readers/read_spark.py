"""Reads trees with Spark, which has no reader of Arrow files."""

import functools

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, regexp_extract, to_json, unix_micros

from cells import FIELDS, ORGANIZATION, give_examples, give_tables, give_traps, has_any_json, names_of, printed

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "2")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")

# By default Spark takes the empty text for null; a text that occurs nowhere keeps them distinct.
AS_WRITTEN = dict(header=True, multiLine=True, escape='"', lineSep="\r\n", nullValue="\0null\0")
RUN_DATE = regexp_extract("_metadata.file_path", "run_date=([0-9-]+)", 1)


def rows_of(frame):
    for name, dtype in frame.dtypes:
        if dtype == "timestamp":
            # As a number: Python's own type ends at the years 1 and 9999.
            frame = frame.withColumn(name, unix_micros(name))
        if dtype == "variant":
            frame = frame.withColumn(name, to_json(name))
    return [row.asDict() for row in frame.collect()]


def tables(root, stream):
    texts = ", ".join(f"{name} STRING" for name in FIELDS[stream])
    variants = names_of(stream, "json") if has_any_json(stream) else []
    lines = ", ".join(f"{name} {'VARIANT' if name in variants else 'STRING'}" for name in FIELDS[stream])

    def on_day(read):
        frame = functools.cache(lambda: read(spark.read.option("recursiveFileLookup", True)))
        return lambda run_date: rows_of(frame().where(RUN_DATE == run_date))

    def parquet(files):
        frame = files.parquet(f"{root}/parquet/{stream}")
        instants = set(names_of(stream, "timestamp"))
        assert instants == {name for name, dtype in frame.dtypes if dtype == "timestamp"}, frame.dtypes
        return frame

    return {
        "parquet": on_day(parquet),
        "csv": on_day(lambda files: files.schema(texts).csv(f"{root}/csv/{stream}", **AS_WRITTEN)),
        "ndjson": on_day(lambda files: files.schema(lines).json(f"{root}/ndjson/{stream}", lineSep="\n")),
    }


def run(code):
    spark.sql("DROP TABLE IF EXISTS users")
    return printed(code, {"spark": spark})


def traps(users):
    def catalogue(keys, columns):
        spark.sql("DROP TABLE IF EXISTS users")
        spark.sql(f"CREATE TABLE users (id STRING, {columns}) USING parquet PARTITIONED BY ({keys}) LOCATION '{users}'")
        spark.sql("MSCK REPAIR TABLE users")
        return spark.table("users").count()

    return {
        "plain": lambda: spark.read.parquet(users).count(),
        "a table by both keys": lambda: catalogue("run_date, org_uuid", "run_date DATE, org_uuid STRING"),
        "org_uuid as a key": lambda: spark.read.parquet(users).where(col("org_uuid") == ORGANIZATION).count(),
    }


give_tables(tables)
give_examples(run)
give_traps(traps)
spark.stop()
