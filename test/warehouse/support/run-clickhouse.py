"""Runs SQL files one after the other in one ClickHouse (chdb); prints the rows of the last file as JSON lines."""

import sys

from chdb import session

folder, *paths = sys.argv[1:]
server = session.Session(folder)
for path in paths:
    with open(path, encoding="utf-8") as file:
        for statement in file.read().split(";\n"):
            if statement.strip():
                result = server.query(statement, "JSONEachRow").bytes().decode("utf-8")
                if path == paths[-1]:
                    print(result, end="")
