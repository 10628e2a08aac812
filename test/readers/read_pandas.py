"""Reads a tree of every format with pandas: python read_pandas.py ROOT RUN_DATE"""

import glob
import json
import sys

import pandas as pd

from cells import COLUMNS, give

root, run_date = sys.argv[1:]


def rows_of(frame):
    columns = {}
    for name in frame.columns:
        values = frame[name]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            assert values.dtype == "datetime64[us, UTC]", values.dtype
            columns[name] = [None if pd.isna(v) else str(n) for v, n in zip(values, values.astype("int64"))]
        else:
            columns[name] = [None if not isinstance(v, (dict, list)) and pd.isna(v) else v for v in values]
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def each_file(form, stream, read):
    paths = glob.glob(f"{root}/{form}/{stream}/run_date={run_date}/**/part-*", recursive=True)
    return pd.concat([read(path) for path in paths])


def frame_of_lines(path):
    with open(path, encoding="utf-8") as lines:
        return pd.DataFrame([json.loads(line) for line in lines], dtype=object)


for stream in COLUMNS:
    give(
        "parquet",
        stream,
        rows_of(pd.read_parquet(f"{root}/parquet/{stream}", filters=[("run_date", "=", run_date)])),
    )
    give("arrow", stream, rows_of(each_file("arrow", stream, pd.read_feather)))
    # pandas cannot tell null from the empty text in CSV: here both are the empty text.
    give(
        "csv",
        stream,
        rows_of(each_file("csv", stream, lambda path: pd.read_csv(path, dtype=str, keep_default_na=False))),
    )
    # pandas' own parser of JSON refuses the smallest doubles, so Python's reads the lines.
    give("ndjson", stream, rows_of(each_file("ndjson", stream, frame_of_lines)))
