"""Reads trees of every format with pandas."""

import json

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from cells import ORGANIZATION, files_of, give_examples, give_tables, give_traps, names_of

BY_DAY = ds.partitioning(pa.schema([("run_date", pa.string())]), flavor="hive")


def rows_of(frame):
    columns = {}
    for name in frame.columns:
        values = frame[name]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            assert values.dtype == "datetime64[us, UTC]", values.dtype
            columns[name] = [None if pd.isna(v) else str(n) for v, n in zip(values, values.astype("int64"))]
        else:
            columns[name] = [None if pd.isna(v) else v for v in values]
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def frame_of_lines(path, json_names):
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        row.update({name: json.dumps(row[name]) for name in json_names if row[name] is not None})
    return pd.DataFrame(rows, dtype=object)


def tables(root, stream):
    def each_file(form, read):
        def rows_on(run_date):
            return rows_of(pd.concat([read(path) for path in files_of(f"{root}/{form}/{stream}", run_date)]))

        return rows_on

    def parquet_on(run_date):
        by_day = [("run_date", "=", run_date)]
        return rows_of(pd.read_parquet(f"{root}/parquet/{stream}", partitioning=BY_DAY, filters=by_day))

    return {
        "parquet": parquet_on,
        "arrow": each_file("arrow", pd.read_feather),
        # pandas cannot distinguish null from the empty text in CSV: here both are the empty text.
        "csv": each_file("csv", lambda path: pd.read_csv(path, dtype=str, keep_default_na=False)),
        # pandas' own parser of JSON refuses the smallest doubles, so Python's reads the lines.
        "ndjson": each_file("ndjson", lambda path: frame_of_lines(path, names_of(stream, "json"))),
    }


def traps(users):
    return {
        "the root has more rows than the table": lambda: int(
            len(pd.read_parquet(users.removesuffix("/users"))) > len(pd.read_parquet(users, partitioning=BY_DAY))
        ),
        "org_uuid as a key": lambda: len(pd.read_parquet(users, filters=[("org_uuid", "=", ORGANIZATION)])),
    }


give_tables(tables)
give_examples()
give_traps(traps)
