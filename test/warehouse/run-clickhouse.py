"""Runs SQL files one after the other in one ClickHouse (chdb); prints the rows of the last as JSON lines."""

import sys

from chdb import session

server = session.Session(sys.argv[1])
result = ""
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        for statement in file.read().split(";\n"):
            if statement.strip():
                result = server.query(statement, "JSONEachRow").bytes().decode("utf-8")
print(result, end="")
