"""Reads a tree of every format with Polars: python read_polars.py ROOT RUN_DATE"""

import sys

import polars as pl

from cells import COLUMNS, give

root, run_date = sys.argv[1:]


def rows_of(frame):
    frame = frame.collect()
    for name, dtype in frame.schema.items():
        if isinstance(dtype, pl.Datetime):
            assert dtype == pl.Datetime("us", "UTC"), dtype
            # As a number: Python's own type ends at the years 1 and 9999.
            frame = frame.with_columns(pl.col(name).to_physical())
    return frame.to_dicts()


for stream in COLUMNS:
    texts = {name: pl.String for name in COLUMNS[stream]}
    on_date = pl.col("run_date").cast(pl.String) == run_date
    tables = {form: f"{root}/{form}/{stream}" for form in ("parquet", "arrow", "csv", "ndjson")}
    give("parquet", stream, rows_of(pl.scan_parquet(tables["parquet"], hive_partitioning=True).filter(on_date)))
    give("arrow", stream, rows_of(pl.scan_ipc(tables["arrow"], hive_partitioning=True).filter(on_date)))
    # These two see no keys in the path.
    below = f"run_date={run_date}/**/part-*"
    give("csv", stream, rows_of(pl.scan_csv(f"{tables['csv']}/{below}", schema=texts)))
    columns = {name: dtype for name, dtype in texts.items() if name != "extra"}
    lines = pl.scan_ndjson(f"{tables['ndjson']}/{below}", schema=columns)
    give("ndjson", stream, rows_of(lines.with_columns(extra=None)))
