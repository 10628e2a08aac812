"""Years of snapshots on Spark: counts a root, or compacts it, by its manifests.

    spark-submit lake.py count   --root ROOT
    spark-submit lake.py compact --root ROOT --out OUT [--from-date D] [--to-date D]

`count` prints a line of JSON for each run date, stream and list. `compact` writes OUT/<stream>, with a folder for each
run date and its rows sorted, and OUT/_snapshots.json, which is written last and says what they were made of: without it
OUT is not finished. ROOT and OUT are whatever Spark reads: folders, s3a://, gs://, abfss://.

A bare glob over a root can see what no run published. So only files are read that the manifest of a complete snapshot
names, and their rows are counted: exit 1 when a figure is not the manifest's, 2 for wrong usage, 75 when a run
published meanwhile.
"""

import argparse
import json
import sys
from contextlib import contextmanager
from typing import NamedTuple

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f


class Refused(Exception):
    """What ends the program, and its exit code."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(message)
        self.code = code


def report(message: str) -> None:
    print(message, file=sys.stderr)


class Snapshot(NamedTuple):
    """A complete snapshot, by its manifest."""

    run_date: str
    run_id: str  # of what wrote the manifest
    tables: dict  # by stream, as in the manifest

    def files(self, table: str) -> list[str]:
        entry = self.tables.get(table, {"files": [], "slices": []})
        return [file["path"] for part in [entry, *entry["slices"]] for file in part["files"]]

    def rows(self, table: str) -> dict:
        """By the values of the parent columns: how many rows."""
        return {tuple(s["parent"].values()): s["rows"] for s in self.tables.get(table, {"slices": []})["slices"]}


def read_snapshots(spark: SparkSession, root: str, wanted, say=report) -> list[Snapshot]:
    """The snapshots of a root, the oldest first; what is left out is reported."""
    found = []
    for row in spark.read.text(f"{root}/_runs/run_date=*/manifest.json", wholetext=True).collect():
        manifest = json.loads(row.value)
        run_date, status = manifest["run_date"], manifest["status"]
        if not wanted(run_date):
            continue
        if manifest["manifest_version"] != 2 or manifest["format"] != "parquet":
            raise Refused(f"The snapshot of {run_date} is not Parquet with a manifest of version 2.", 2)
        if status != "complete":
            say(f"left out: {run_date} is {status}")
        else:
            found.append(Snapshot(run_date, manifest["written"]["run_id"], manifest["tables"]))
    return sorted(found)


def tables_of(snapshots: list[Snapshot]) -> list[str]:
    return list(dict.fromkeys(table for snapshot in snapshots for table in snapshot.tables))


def parent_columns(table: str, snapshots: list[Snapshot]) -> list[str]:
    """The columns that name whose list a row is of."""
    slices = [s for snapshot in snapshots for s in snapshot.tables.get(table, {"slices": []})["slices"]]
    return list(slices[0]["parent"]) if slices else []


def read_table(spark: SparkSession, root: str, snapshots: list[Snapshot], table: str) -> DataFrame | None:
    """One table of all the snapshots; None when it has no file."""
    paths = [f"{root}/{path}" for snapshot in snapshots for path in snapshot.files(table)]
    if not paths:
        return None
    # Columns are only ever appended, so the newest file has all of them; the files of older days read as null there.
    schema = spark.read.parquet(paths[-1]).schema
    # A file's rows carry their run date; without this Spark would take another one from the path.
    return spark.read.schema(schema).option("recursiveFileLookup", True).parquet(*paths)


def check_rows(rows: DataFrame | None, table: str, snapshots: list[Snapshot], where: str) -> None:
    """Every row that a manifest counts, and no other."""
    parent = parent_columns(table, snapshots)
    counted = [] if rows is None else rows.groupBy("snapshot_date", *parent).count().collect()
    found = {(str(row.snapshot_date), *(row[name] for name in parent)): row["count"] for row in counted}
    published = {(s.run_date, *key): n for s in snapshots for key, n in s.rows(table).items() if n > 0}
    wrong = [key for key in published.keys() | found.keys() if published.get(key) != found.get(key)]
    if wrong:
        run_date, *names = key = min(wrong)
        raise Refused(
            f"{len(wrong)} figures of {where}/{table} are not those of the manifests. The first: on {run_date}, "
            f"{' '.join(names) or 'in all'}, {found.get(key, 0)} rows were found where {published.get(key, 0)} were published."
        )


@contextmanager
def unchanged(spark: SparkSession, root: str, snapshots: list[Snapshot], wanted):
    """
    While the files of snapshots are read. A run that publishes meanwhile removes the files that it replaces, so it may
    be the reason of any error. With the same manifests the files were the same: their names are never used again.
    """
    failed = None
    try:
        yield
    except Exception as error:
        failed = error
    if read_snapshots(spark, root, wanted, say=lambda _: None) != snapshots:
        raise Refused("A run published while the files were read. Try again when it has ended.", 75) from failed
    if failed:
        raise failed


def count(spark: SparkSession, root: str, wanted) -> None:
    snapshots = read_snapshots(spark, root, wanted)
    with unchanged(spark, root, snapshots, wanted):
        for table in tables_of(snapshots):
            check_rows(read_table(spark, root, snapshots, table), table, snapshots, root)
    for snapshot in snapshots:
        for table, entry in snapshot.tables.items():
            for s in sorted(entry["slices"], key=lambda s: list(s["parent"].values())):
                print(json.dumps({"run_date": snapshot.run_date, "stream": table, **s["parent"], "rows": s["rows"]}))


def compact(spark: SparkSession, root: str, out: str, wanted) -> None:
    if exists(spark, out):
        raise Refused(f"{out} exists already. Remove it, or name another --out.", 2)
    snapshots = read_snapshots(spark, root, wanted)
    tables = {}
    with unchanged(spark, root, snapshots, wanted):
        for table in tables_of(snapshots):
            rows = tables[table] = read_table(spark, root, snapshots, table)
            if rows is not None:
                write_sorted(rows, f"{out}/{table}", order=rows.columns[: len(parent_columns(table, snapshots)) + 1])
    for table, rows in tables.items():
        reader = spark.read.option("recursiveFileLookup", True)
        result = None if rows is None else reader.schema(rows.schema).parquet(f"{out}/{table}")
        check_rows(result, table, snapshots, out)
    rows = [{table: s.tables[table]["rows"] for table in s.tables} for s in snapshots]
    made_of = [{"run_date": s.run_date, "run_id": s.run_id, "rows": n} for s, n in zip(snapshots, rows)]
    write_text(spark, f"{out}/_snapshots.json", json.dumps({"root": root, "snapshots": made_of}, indent=2))


def write_sorted(rows: DataFrame, to: str, order: list[str]) -> None:
    """One sorted file for each run date. The parents' columns come first, and then what names a row."""
    # The rows keep `snapshot_date`, as in the root; the key of the path is another column.
    keyed = rows.withColumn("run_date", rows.snapshot_date)
    sorted_rows = keyed.repartition("run_date").sortWithinPartitions("run_date", *order)
    # Row groups that a query for one organisation can skip.
    options = {"compression": "zstd", "parquet.block.size": 16 * 1024 * 1024}
    sorted_rows.write.partitionBy("run_date").options(**options).parquet(to)


def hadoop(spark: SparkSession, path: str):
    """The file system of a path, and the path: so that a text is written where the rows are."""
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
    parser.add_argument("--root", required=True, help="what `claude-compliance-connector dump --out` wrote, as Parquet")
    parser.add_argument("--out", help="of compact: a folder that does not exist yet, outside of the root")
    parser.add_argument("--from-date", default="", help="the first run date, YYYY-MM-DD")
    parser.add_argument("--to-date", default="9999-12-31", help="the last run date")
    given = parser.parse_args()
    if (given.command == "compact") != (given.out is not None):
        parser.error("--out belongs to compact, which needs it")
    root, out = given.root.rstrip("/"), (given.out or "").rstrip("/")
    if out == root or out.startswith(f"{root}/"):
        parser.error("--out must be outside of --root")

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
        report(f"error: {refused}")
        return refused.code
    except AnalysisException as error:
        report(f"error: Spark cannot read {root}: {str(error).splitlines()[0]}")
        return 2 if error.getCondition() == "PATH_NOT_FOUND" and "manifest.json" in str(error) else 1
    finally:
        spark.stop()


if __name__ == "__main__":
    sys.exit(main())
