"""Reads trees of every format with Polars."""

import polars as pl

from cells import FIELDS, ORGANIZATION, give_examples, give_tables, give_traps, names_of


def rows_of(frame):
    frame = frame.collect()
    for name, dtype in frame.schema.items():
        if isinstance(dtype, pl.Datetime):
            assert dtype == pl.Datetime("us", "UTC"), dtype
            # As a number: Python's own type ends at the years 1 and 9999.
            frame = frame.with_columns(pl.col(name).to_physical())
    return frame.to_dicts()


def tables(root, stream):
    texts = {name: pl.String for name in FIELDS[stream]}
    # It takes JSON for a text that is none, where a name in it has quotes or a text in it a NUL.
    json_names = names_of(stream, "json")
    without_json = {name: dtype for name, dtype in texts.items() if name not in json_names}

    def parquet_on(run_date):
        return rows_of(pl.scan_parquet([f"{root}/parquet/{stream}/run_date={run_date}"], hive_partitioning=False))

    def arrow_on(run_date):
        files = pl.scan_ipc(f"{root}/arrow/{stream}", hive_partitioning=False)
        return rows_of(files.filter(pl.col("snapshot_date").cast(pl.String) == run_date))

    def below(form, run_date):
        return f"{root}/{form}/{stream}/run_date={run_date}/**/part-*"

    def lines_on(run_date):
        lines = pl.scan_ndjson(below("ndjson", run_date), schema=without_json)
        return rows_of(lines.with_columns(**dict.fromkeys(json_names)))

    return {
        "parquet": parquet_on,
        "arrow": arrow_on,
        # These two see no keys in the path.
        "csv": lambda run_date: rows_of(pl.scan_csv(below("csv", run_date), schema=texts)),
        "ndjson": lines_on,
    }


def traps(users):
    def counted(frame):
        return frame.select(pl.len()).collect().item()

    return {
        "plain": lambda: counted(pl.scan_parquet(users)),
        "org_uuid as a key": lambda: counted(pl.scan_parquet(users).filter(pl.col("org_uuid") == ORGANIZATION)),
    }


give_tables(tables)
give_examples()
give_traps(traps)
