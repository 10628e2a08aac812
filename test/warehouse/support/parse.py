"""Parses scripts with sqlglot: one JSON line for each statement, with what the grammar made of it."""

import json
import logging
import sys

import sqlglot
from sqlglot import expressions, tokens

logging.disable(logging.CRITICAL)  # it warns of statements it does not know; those are counted instead

for argument in sys.argv[1:]:
    dialect, path = argument.split("=", 1)
    with open(path, encoding="utf-8") as file:
        statements = sqlglot.parse(file.read(), read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    for statement in statements:
        if statement is not None:
            print(json.dumps({"dialect": dialect, "kind": type(statement).__name__}))
