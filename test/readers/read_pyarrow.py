"""Reads trees of every format with pyarrow."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.dataset as ds
import pyarrow.json as lines

from cells import FIELDS, ORGANIZATION, files_of, give_examples, give_tables, give_traps, names_of

LARGE = 64 << 20
BY_DAY = ds.partitioning(pa.schema([("run_date", pa.string())]), flavor="hive")


def rows_of(table):
    """Instants as a number: Python's own type ends at the years 1 and 9999."""
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            assert field.type == pa.timestamp("us", tz="UTC"), field
            table = table.set_column(i, field.name, table.column(i).cast(pa.int64()))
    return table.to_pylist()


def csv_format(stream):
    types = {name: pa.string() for name in FIELDS[stream]}
    return ds.CsvFileFormat(
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
        read_options=csv.ReadOptions(block_size=LARGE),
    )


def table_of_lines(stream):
    """Of each file. JSON is left out: a column of it would need one type, which is the same in every line."""
    types = [(name, pa.string()) for name in names_of(stream, "string", "timestamp", "date")]
    types += [(name, pa.bool_()) for name in names_of(stream, "boolean")]
    without_json = lines.ParseOptions(explicit_schema=pa.schema(types), unexpected_field_behavior="ignore")
    return lambda path: lines.read_json(path, lines.ReadOptions(block_size=LARGE), without_json)


def tables(root, stream):
    def on_day(form, dataset_format):
        def rows_on(run_date):
            files = ds.dataset(f"{root}/{form}/{stream}", format=dataset_format, partitioning=BY_DAY)
            return rows_of(files.to_table(filter=pc.field("run_date") == run_date))

        return rows_on

    def lines_on(run_date):
        # A dataset of lines infers the types of columns that nobody asked for, too.
        files = map(table_of_lines(stream), files_of(f"{root}/ndjson/{stream}", run_date))
        no_json = dict.fromkeys(names_of(stream, "json"))
        return [row | no_json for row in rows_of(pa.concat_tables(files))]

    return {
        "parquet": on_day("parquet", "parquet"),
        "arrow": on_day("arrow", "ipc"),
        "csv": on_day("csv", csv_format(stream)),
        "ndjson": lines_on,
    }


def traps(users):
    of_one = pc.field("org_uuid") == ORGANIZATION
    return {
        "org_uuid as a key": lambda: ds.dataset(users, partitioning="hive").count_rows(filter=of_one),
        "org_uuid with the schema": lambda: ds.dataset(users, partitioning=BY_DAY).count_rows(filter=of_one),
    }


give_tables(tables)
give_examples()
give_traps(traps)
