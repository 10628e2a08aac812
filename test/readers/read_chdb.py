"""Reads trees of every format with ClickHouse, in process."""

import json

import chdb

from cells import FIELDS, ORGANIZATION, give_examples, give_tables, give_traps, has_any_json, names_of

# By type, what a typed column is asked for as; other columns are asked for as they are.
TYPED = {
    "timestamp": "toString(toUnixTimestamp64Micro({name})) AS {name}",
    "date": "toString({name}) AS {name}",
}


def ask(query):
    answer = chdb.query(query, "JSONEachRow").bytes().decode()
    return [json.loads(line) for line in answer.split("\n") if line]


def tables(root, stream):
    columns = FIELDS[stream]
    typed = ", ".join(TYPED.get(field["type"], "{name}").format(name=name) for name, field in columns.items())
    texts = ", ".join(
        f"{name} {'Nullable(String)' if field['nullable'] else 'String'}" for name, field in columns.items()
    )

    # Columns that are cut out of whole lines.
    cut = ", ".join(
        f"nullIf(JSONExtractRaw(json, '{name}'), 'null') AS {name}"
        if name in names_of(stream, "json")
        else f"JSONExtract(json, '{name}', 'Nullable(String)') AS {name}"
        for name in columns
    )

    def on_day(form, clickhouse_format, select, *structure):
        source = ", ".join([f"'{root}/{form}/{stream}/**/part-*'", clickhouse_format, *structure])
        return lambda run_date: ask(
            f"SELECT {select} FROM file({source}) WHERE extract(_path, 'run_date=([0-9-]+)') = '{run_date}'"
            " SETTINGS use_hive_partitioning = 0"
        )

    return {
        "parquet": on_day("parquet", "Parquet", typed),
        "arrow": on_day("arrow", "Arrow", typed),
        "csv": on_day("csv", "CSVWithNames", ", ".join(columns), f"'{texts}'"),
        "ndjson": on_day("ndjson", "JSONAsString", cut)
        if has_any_json(stream)
        else on_day("ndjson", "JSONEachRow", ", ".join(columns), f"'{texts}'"),
    }


def run(statements):
    counts = [ask(statement)[0]["members"] for statement in statements.split(";") if statement.strip()]
    return "".join(f"{count}\n" for count in counts)


def traps(users):
    source = f"file('{users}/**/part-*', Parquet)"
    of_one = f"SELECT count() AS members FROM {source} WHERE org_uuid = '{ORGANIZATION}'"
    return {"org_uuid as a key": lambda: int(ask(of_one)[0]["members"])}


give_tables(tables)
give_examples(run)
give_traps(traps)
