"""Reads a tree of every format with ClickHouse, in process: python read_chdb.py ROOT RUN_DATE"""

import json
import sys

import chdb

from cells import COLUMNS, give

root, run_date = sys.argv[1:]
REQUIRED = {"organization_uuid", "id", "uuid", "snapshot_date"}

TYPED = {
    "created_at": "toString(toUnixTimestamp64Micro(created_at)) AS created_at",
    "snapshot_date": "toString(snapshot_date) AS snapshot_date",
}


def rows(source, select):
    query = f"SELECT {', '.join(select)} FROM {source} WHERE run_date = '{run_date}'"
    answer = chdb.query(query, "JSONEachRow").bytes().decode()
    return [json.loads(line) for line in answer.split("\n") if line]


for stream, columns in COLUMNS.items():
    typed = [TYPED.get(name, name) for name in columns]
    texts = ", ".join(f"{name} {'String' if name in REQUIRED else 'Nullable(String)'}" for name in columns)
    files = {form: f"{root}/{form}/{stream}/**/part-*" for form in ("parquet", "arrow", "csv", "ndjson")}
    give("parquet", stream, rows(f"file('{files['parquet']}', Parquet)", typed))
    give("arrow", stream, rows(f"file('{files['arrow']}', Arrow)", typed))
    give("csv", stream, rows(f"file('{files['csv']}', CSVWithNames, '{texts}')", columns))
    give("ndjson", stream, rows(f"file('{files['ndjson']}', JSONEachRow, '{texts}')", columns))
