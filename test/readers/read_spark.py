"""Reads trees with Spark, which has no reader of Arrow files."""

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, regexp_extract, unix_micros

from cells import COLUMNS, ORGANIZATION, give_examples, give_tables, give_traps, printed

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

# By default Spark takes the empty text for null; any text that stands nowhere keeps them apart.
AS_WRITTEN = dict(header=True, multiLine=True, escape='"', lineSep="\r\n", nullValue="\0null\0")
RUN_DATE = regexp_extract("_metadata.file_path", "run_date=([0-9-]+)", 1)


def rows_of(frame):
    if dict(frame.dtypes)["created_at"] == "timestamp":
        # As a number: Python's own type ends at the years 1 and 9999.
        frame = frame.withColumn("created_at", unix_micros("created_at"))
    return [row.asDict() for row in frame.collect()]


def tables(root, stream):
    texts = ", ".join(f"{name} STRING" for name in COLUMNS[stream])

    def on_day(read):
        def rows_on(run_date):
            files = spark.read.option("recursiveFileLookup", True)
            return rows_of(read(files).where(RUN_DATE == run_date))

        return rows_on

    def parquet(files):
        frame = files.parquet(f"{root}/parquet/{stream}")
        assert dict(frame.dtypes)["created_at"] == "timestamp", frame.dtypes
        return frame

    return {
        "parquet": on_day(parquet),
        "csv": on_day(lambda files: files.schema(texts).csv(f"{root}/csv/{stream}", **AS_WRITTEN)),
        "ndjson": on_day(lambda files: files.schema(texts).json(f"{root}/ndjson/{stream}", lineSep="\n")),
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
