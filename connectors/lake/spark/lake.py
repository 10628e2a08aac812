"""Years of snapshots on Spark: counts a root, or compacts it, by its manifests.

    spark-submit lake.py count   --root ROOT
    spark-submit lake.py compact --root ROOT --out OUT [--from-date D] [--to-date D]

`count` prints a line of JSON for each run date and organisation. `compact` writes OUT/users and OUT/organizations, a
folder for each run date with its rows sorted, and OUT/_snapshots.json, written last, which tells what they were made
of: without it OUT is not whole. ROOT and OUT are whatever Spark reads: folders, s3a://, gs://, abfss://.

A bare glob over a root can see what no run published. So only files are read that the manifest of a complete snapshot
of everything lists, and their rows are counted: exit 1 when a figure is not the manifest's, 2 for wrong usage, 75 when
a run published meanwhile.
"""

import argparse
import json
import sys
from typing import NamedTuple

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql import types as t

TEXT, INSTANT, DAY = t.StringType(), t.TimestampType(), t.DateType()
# The columns of schema version 1. Given, so that Spark opens no file only to learn them.
TABLES = {
    "organizations": {"uuid": TEXT, "name": TEXT, "created_at": INSTANT, "snapshot_date": DAY, "extra": TEXT},
    "users": {
        "organization_uuid": TEXT,
        "id": TEXT,
        "full_name": TEXT,
        "email": TEXT,
        "organization_role": TEXT,
        "created_at": INSTANT,
        "snapshot_date": DAY,
        "extra": TEXT,
    },
}
SORTED_BY = {"organizations": ["uuid"], "users": ["organization_uuid", "id"]}
EVERYTHING = {"organizations", "users"}


class Refused(Exception):
    """What ends the program, and its exit code."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(message)
        self.code = code


def tell(message: str) -> None:
    print(message, file=sys.stderr)


class Snapshot(NamedTuple):
    """A complete snapshot of everything, by its manifest."""

    run_date: str
    run_id: str
    published_at: str
    files: dict  # of each table: the paths
    rows: dict  # of each table, by organisation ("" in the table of organisations): how many


def read_snapshots(spark: SparkSession, root: str, wanted, say=tell) -> list[Snapshot]:
    """The snapshots of a root, the oldest first; what is left out is said."""
    found = []
    for row in spark.read.text(f"{root}/_runs/run_date=*/manifest.json", wholetext=True).collect():
        manifest = json.loads(row.value)
        run_date, status, scope = manifest["run_date"], manifest["status"], manifest["scope"]
        if not wanted(run_date):
            continue
        if status != "complete":
            say(f"left out: {run_date} is {status}")
        elif scope["organizations"] != "all" or not EVERYTHING <= set(scope["streams"]):
            say(f"left out: {run_date} is of a narrower scope")
        elif manifest["format"] != "parquet" or manifest["schema_version"] != 1:
            raise Refused(f"The snapshot of {run_date} is not Parquet of schema version 1.", 2)
        else:
            found.append(snapshot_of(manifest))
    return sorted(found)


def snapshot_of(manifest: dict) -> Snapshot:
    """Whatever the layout: a file belongs to the table that its path begins with."""
    lists = [manifest, manifest["organizations"], manifest.get("users") or {}, *manifest["slices"]]
    paths = sorted({file["path"] for entry in lists for file in entry.get("files", [])})
    return Snapshot(
        manifest["run_date"],
        manifest["run_id"],
        manifest["published_at"],
        {table: [path for path in paths if path.startswith(f"{table}/")] for table in TABLES},
        {
            "organizations": {"": manifest["organizations"]["rows"]},
            "users": {entry["organization_uuid"]: entry["rows"] for entry in manifest["slices"]},
        },
    )


def schema_of(table: str) -> t.StructType:
    return t.StructType([t.StructField(name, kind) for name, kind in TABLES[table].items()])


def read_table(spark: SparkSession, root: str, snapshots: list[Snapshot], table: str) -> DataFrame:
    """One table of all the snapshots."""
    paths = [f"{root}/{path}" for snapshot in snapshots for path in snapshot.files[table]]
    if not paths:
        return spark.createDataFrame([], schema_of(table))
    # A file's rows carry their run date; without this Spark would take another one from the path.
    return spark.read.schema(schema_of(table)).option("recursiveFileLookup", True).parquet(*paths)


def check_rows(rows: DataFrame, table: str, snapshots: list[Snapshot], where: str) -> None:
    """Every row that a manifest tells of, and no other."""
    uuid = rows.organization_uuid if table == "users" else f.lit("")
    counted = rows.groupBy("snapshot_date", uuid.alias("uuid")).count().collect()
    found = {(str(row.snapshot_date), row.uuid): row["count"] for row in counted}
    told = {(s.run_date, uuid): n for s in snapshots for uuid, n in s.rows[table].items() if n > 0}
    wrong = [key for key in told.keys() | found.keys() if told.get(key) != found.get(key)]
    if wrong:
        key = run_date, uuid = min(wrong)
        raise Refused(
            f"{len(wrong)} figures of {where}/{table} are not the manifests'. The first: on {run_date}, organisation "
            f"{uuid or '(all)'}, {found.get(key, 0)} rows were found where {told.get(key, 0)} were published."
        )


def check_unchanged(spark: SparkSession, root: str, snapshots: list[Snapshot], wanted) -> None:
    """A run marks its manifest before it touches a file: with the same manifests, the files were the same."""
    if read_snapshots(spark, root, wanted, say=lambda _: None) != snapshots:
        raise Refused("A run published while the files were read. Try again when it has ended.", 75)


def count(spark: SparkSession, root: str, wanted) -> None:
    snapshots = read_snapshots(spark, root, wanted)
    for table in TABLES:
        check_rows(read_table(spark, root, snapshots, table), table, snapshots, root)
    check_unchanged(spark, root, snapshots, wanted)
    for snapshot in snapshots:
        for uuid, rows in sorted(snapshot.rows["users"].items()):
            print(json.dumps({"run_date": snapshot.run_date, "organization_uuid": uuid, "users": rows}))


def compact(spark: SparkSession, root: str, out: str, wanted) -> None:
    if exists(spark, out):
        raise Refused(f"{out} is there already. Remove it, or name another --out.", 2)
    snapshots = read_snapshots(spark, root, wanted)
    for table, order in SORTED_BY.items():
        rows = read_table(spark, root, snapshots, table)
        # The rows keep `snapshot_date`, as in the root: the key of the path is a column besides.
        keyed = rows.withColumn("run_date", rows.snapshot_date)
        sorted_rows = keyed.repartition("run_date").sortWithinPartitions("run_date", *order)
        # Row groups that a query for one organisation can skip.
        options = {"compression": "zstd", "parquet.block.size": 16 * 1024 * 1024}
        sorted_rows.write.partitionBy("run_date").options(**options).parquet(f"{out}/{table}")
    check_unchanged(spark, root, snapshots, wanted)
    for table in TABLES:
        written = spark.read.schema(schema_of(table)).option("recursiveFileLookup", True)
        check_rows(written.parquet(f"{out}/{table}"), table, snapshots, out)
    made_of = [{"run_date": s.run_date, "run_id": s.run_id, "rows": s.rows} for s in snapshots]
    write_text(spark, f"{out}/_snapshots.json", json.dumps({"root": root, "snapshots": made_of}, indent=2))


def hadoop(spark: SparkSession, path: str):
    """The file system of a path, and the path: what is written through it lands wherever rows land."""
    target = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(path)
    return target.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()), target


def exists(spark: SparkSession, path: str) -> bool:
    files, target = hadoop(spark, path)
    return files.exists(target)


def write_text(spark: SparkSession, path: str, text: str) -> None:
    files, target = hadoop(spark, path)
    stream = files.create(target, False)
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()


def open_spark() -> SparkSession:
    return (
        SparkSession.builder.appName("claude-compliance-lake")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        # Instants before the calendar reforms as they are, not as older Spark wrote them.
        .config("spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED")
        .config("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")
        .config("spark.sql.parquet.int96RebaseModeInRead", "CORRECTED")
        .getOrCreate()
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Counts or compacts a root of snapshots on Spark.")
    parser.add_argument("command", choices=["count", "compact"])
    parser.add_argument("--root", required=True, help="what `claude-compliance dump --out` wrote, as Parquet")
    parser.add_argument("--out", help="of compact: a folder that does not exist yet, outside of the root")
    parser.add_argument("--from-date", default="", help="the first run date, YYYY-MM-DD")
    parser.add_argument("--to-date", default="9999-12-31", help="the last run date")
    given = parser.parse_args()
    if (given.command == "compact") != (given.out is not None):
        parser.error("--out belongs to compact, which needs it")
    root, out = given.root.rstrip("/"), (given.out or "").rstrip("/")
    if out == root or out.startswith(f"{root}/"):
        parser.error("--out must lie outside of --root")

    spark = open_spark()
    spark.sparkContext.setLogLevel("ERROR")
    try:
        wanted = lambda run_date: given.from_date <= run_date <= given.to_date  # noqa: E731
        if given.command == "count":
            count(spark, root, wanted)
        else:
            compact(spark, root, out, wanted)
        return 0
    except Refused as refused:
        tell(f"error: {refused}")
        return refused.code
    except AnalysisException as error:
        tell(f"error: Spark cannot read {root}: {str(error).splitlines()[0]}")
        return 2 if error.getCondition() == "PATH_NOT_FOUND" and "manifest.json" in str(error) else 1
    finally:
        spark.stop()


if __name__ == "__main__":
    sys.exit(main())
