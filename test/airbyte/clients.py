"""Runs the source under the clients that people run it with, and prints what they saw as one line of JSON.

clients.py COMMAND EXECUTABLE CONFIG [MORE]; the suite beside this file starts it and compares.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path


def source(executable, config):
    import airbyte as ab

    return ab.get_source(
        "source-claude-compliance",
        local_executable=Path(executable),
        config=json.loads(Path(config).read_text()),
    )


def read(executable, config, *flags):
    """Checks, discovers and reads into a DuckDB cache, twice; the second run is handed the first one's state."""
    import airbyte as ab

    claude = source(executable, config)
    claude.check()
    claude.select_all_streams()
    streams = claude.get_available_streams()
    folder = tempfile.mkdtemp()
    cache = ab.caches.DuckDBCache(db_path=f"{folder}/cache.duckdb", cache_dir=folder)
    if "killed" in flags:  # by whoever started this, in the middle of the read
        try:
            claude.read(cache=cache)
            raise AssertionError("the read ended before it was killed")
        except ab.exceptions.PyAirbyteError:
            pass
    runs = []
    for _ in range(1 if "once" in flags else 2):
        result = claude.read(cache=cache, force_full_refresh="full" in flags)
        runs.append({"processed": result.processed_records, "rows": rows_in(cache, streams)})
    return {"streams": sorted(streams), "runs": runs}


def rows_in(cache, streams):
    """Every row of every table, as the cache holds it."""
    with cache.get_sql_engine().connect() as connection:
        return {
            name: [
                dict(row._mapping)
                for row in connection.exec_driver_sql(f"SELECT * FROM {cache.schema_name}.{name}")
            ]
            for name in streams
        }


def bench(executable, config):
    """Reads the default streams once into a DuckDB cache: how long it took, and the peak memory of the client in MB.

    The peak of the source cannot be measured from here: a child begins with the peak of its parent.
    """
    import resource
    import time

    import airbyte as ab

    claude = source(executable, config)
    claude.select_streams(["organizations", "users"])
    folder = tempfile.mkdtemp()
    cache = ab.caches.DuckDBCache(db_path=f"{folder}/cache.duckdb", cache_dir=folder)
    start = time.monotonic()
    result = claude.read(cache=cache)
    return {
        "seconds": time.monotonic() - start,
        "records": result.processed_records,
        "client": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def raises(executable, config):
    """Reads, and returns the error that it ended with."""
    import airbyte as ab

    claude = source(executable, config)
    claude.select_all_streams()
    folder = tempfile.mkdtemp()
    cache = ab.caches.DuckDBCache(db_path=f"{folder}/cache.duckdb", cache_dir=folder)
    try:
        claude.read(cache=cache)
    except Exception as error:
        return {"raised": type(error).__name__}
    return {"raised": None}


def models(executable, config, catalog):
    """Every line of every command, through the protocol's own models (pydantic and dataclasses)."""
    from airbyte_protocol_dataclasses.models import AirbyteMessage as Dataclass
    from airbyte_protocol.models import AirbyteMessage
    from serpyco_rs import Serializer

    serializer = Serializer(Dataclass, omit_none=True)
    types = {}
    for arguments in (
        ["spec"],
        ["check", "--config", config],
        ["discover", "--config", config],
        ["read", "--config", config, "--catalog", catalog],
    ):
        output = subprocess.run([executable, *arguments], capture_output=True, check=True)
        assert output.stderr == b"", output.stderr
        for line in output.stdout.splitlines():
            message = json.loads(line)
            AirbyteMessage.model_validate(message)
            serializer.load(message)
            types[message["type"]] = types.get(message["type"], 0) + 1
    return types


def entrypoint(executable, config, catalog):
    """What the CDK's test utilities see of a read."""
    from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput

    arguments = ["read", "--config", config, "--catalog", catalog]
    lines = subprocess.run([executable, *arguments], capture_output=True, check=True).stdout.decode()
    streams = [configured["stream"]["name"] for configured in json.loads(Path(catalog).read_text())["streams"]]
    output = EntrypointOutput(messages=lines.splitlines())  # as the CDK's own runner splits
    return {
        "records": len(output.records),
        "states": len(output.state_messages),
        "errors": len(output.errors),
        "statuses": {
            name: [str(status.value) for status in output.get_stream_statuses(name)]
            for name in streams
        },
        "final": output.get_stream_statuses(streams[-1])[-1].value,
    }


def version():
    """The packages that were asked."""
    from importlib.metadata import version

    return {name: version(name) for name in ("airbyte", "airbyte-cdk")}


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    print(json.dumps(globals()[command](*arguments), default=str), flush=True)
