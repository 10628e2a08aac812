"""Runs lake.py for each line of JSON on stdin, in one process: Java starts once.

A line: args, as on a command line; afterwards, which may be missing: a command that is run when the manifests have been
read for the first time.
"""

import contextlib
import importlib.util
import io
import json
import subprocess
import sys

PROGRAM = sys.argv[1]
answers = sys.stdout


def run(args, afterwards=None):
    spec = importlib.util.spec_from_file_location("lake", PROGRAM)
    lake = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lake)
    read_snapshots = lake.read_snapshots

    def read_and_continue(*given, **named):
        found = read_snapshots(*given, **named)
        lake.read_snapshots = read_snapshots
        subprocess.run(afterwards, check=True, capture_output=True)
        return found

    if afterwards:
        lake.read_snapshots = read_and_continue
    sys.argv = [PROGRAM, *args]
    try:
        return lake.main()
    except SystemExit as ended:
        return ended.code


for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as stdout, contextlib.redirect_stderr(io.StringIO()) as stderr:
        code = run(**json.loads(line))
    answer = {"code": code, "stdout": stdout.getvalue(), "stderr": stderr.getvalue()}
    print(json.dumps(answer), file=answers, flush=True)
