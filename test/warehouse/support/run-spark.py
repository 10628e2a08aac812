"""Runs SQL files one after the other in one local Spark; prints the rows of the last file as JSON lines."""

import json
import sys

from pyspark.sql import SparkSession

folder, *paths = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    # The plan of a view with some sixty scans does not fit into the default of 1 GB.
    .config("spark.driver.memory", "4g")
    .config("spark.sql.adaptive.enabled", "false")
    .config("spark.sql.warehouse.dir", f"{folder}/warehouse")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "1")
    .getOrCreate()
)
for path in paths:
    with open(path, encoding="utf-8") as file:
        for statement in file.read().split(";\n"):
            if statement.strip():
                rows = spark.sql(statement).collect()
                if path == paths[-1]:
                    for row in rows:
                        print(json.dumps(row.asDict()))
spark.stop()
