"""What the scripts of this folder share: the question is JSON in their argument, the answer is JSON lines."""

import contextlib
import datetime
import glob
import io
import json
import sys

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)

# trees: path by name; dates; fields: of each table; organization: one that has users; examples: by tree and name;
# spoiled: a path
ASKED = json.loads(sys.argv[1])
ORGANIZATION = ASKED["organization"]
# Of each table, by name: the type, the shape of JSON, and whether a value may be missing.
FIELDS = {table: {field["name"]: field for field in fields} for table, fields in ASKED["fields"].items()}


def names_of(stream, *types):
    return [name for name, field in FIELDS[stream].items() if field["type"] in types]


def has_any_json(stream):
    """Whether a column holds JSON of any type: as a column of texts, a reader could not distinguish "1" from 1 in it."""
    return any("shape" not in FIELDS[stream][name] for name in names_of(stream, "json"))


def files_of(table, run_date):
    return glob.glob(f"{table}/run_date={run_date}/**/part-*", recursive=True)


def cell(value):
    """Instants as microseconds since 1970, dates as they are written, truth as JSON has it, all of it as text."""
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        return str((value - EPOCH) // MICROSECOND)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool):
        return json.dumps(value)
    assert isinstance(value, (str, int)), type(value)
    return str(value)


def give(**answer):
    json.dump(answer, sys.stdout)
    print(flush=True)


def give_tables(tables):
    """
    The rows of each table of each tree, a day at a time. `tables(root, stream)` gives, by format, what reads the rows
    of a run date: dictionaries, of which only the columns of the table are taken.
    """
    for tree, root in ASKED["trees"].items():
        for stream in FIELDS:
            for form, rows_on in tables(root, stream).items():
                for run_date in ASKED["dates"]:
                    give_rows(tree, form, stream, run_date, rows_on(run_date))
    # In this one the files of all days but the first are of no format.
    first_day, spoiled = ASKED["dates"][0], tables(ASKED["spoiled"], "users")
    give_rows("spoiled", "parquet", "users", first_day, spoiled["parquet"](first_day))


def give_rows(tree, form, stream, run_date, rows):
    if form in ("parquet", "arrow"):
        assert all(isinstance(row[name], (bool, type(None))) for name in names_of(stream, "boolean") for row in rows)
    rows = [{name: cell(row[name]) for name in FIELDS[stream]} for row in rows]
    give(tree=tree, format=form, stream=stream, run_date=run_date, rows=rows)


def printed(code, names):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        exec(code, names)
    return text.getvalue()


def give_examples(run=lambda code: printed(code, {})):
    """What each example of the documentation prints."""
    for tree, examples in ASKED["examples"].items():
        for name, code in examples.items():
            give(tree=tree, example=name, printed=run(code))


def give_traps(traps):
    """The result of each way to read that the documentation warns of: `traps(users)` gives functions by name, for a table's path."""
    for tree, root in ASKED["trees"].items():
        for name, fall in traps(f"{root}/parquet/users").items():
            try:
                result = fall()
            except Exception as error:
                result = f"{type(error).__name__}: {error}"
            give(tree=tree, trap=name, result=result)
