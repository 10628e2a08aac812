"""Reads a tree with pyarrow, but for NDJSON, whose `extra` has no one type: python read_pyarrow.py ROOT RUN_DATE"""

import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.dataset as ds

from cells import COLUMNS, give

root, run_date = sys.argv[1:]


def rows_of(table):
    """Instants as a number: Python's own type ends at the years 1 and 9999."""
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            assert field.type == pa.timestamp("us", tz="UTC"), field
            table = table.set_column(i, field.name, table.column(i).cast(pa.int64()))
    return table.to_pylist()


def table_of(form, stream, dataset_format):
    # The layout is found by itself: the keys in the path become columns.
    files = ds.dataset(f"{root}/{form}/{stream}", format=dataset_format, partitioning="hive")
    return files.to_table(filter=pc.field("run_date") == run_date)


def csv_format(stream):
    types = {name: pa.string() for name in COLUMNS[stream]}
    return ds.CsvFileFormat(
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
        read_options=csv.ReadOptions(block_size=64 << 20),
    )


for stream in COLUMNS:
    give("parquet", stream, rows_of(table_of("parquet", stream, "parquet")))
    give("arrow", stream, rows_of(table_of("arrow", stream, "ipc")))
    give("csv", stream, table_of("csv", stream, csv_format(stream)).to_pylist())
