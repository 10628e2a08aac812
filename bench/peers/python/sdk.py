"""The directory as Parquet or NDJSON in one file, with the public SDK: the shortest program that a user would write."""

import json
import os
import sys

import claude_compliance_sdk as sdk

FIELDS = ("id", "full_name", "email", "organization_role", "created_at")
OUT = os.environ["BENCH_OUT"]


def pages(client):
    for organization in client.organizations.iter(limit=1000):
        more, page = True, {}
        while more:
            found = client.organizations.list_users(organization.uuid, limit=1000, **page)
            yield organization.uuid, found.data
            more, page = found.has_more, {"page": found.next_page}


def parquet(client):
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in ("organization_uuid", *FIELDS)])
    waiting = []
    with pq.ParquetWriter(f"{OUT}/users.parquet", schema, compression="zstd") as writer:
        for uuid, users in pages(client):
            columns = [[uuid] * len(users), *([getattr(user, name) for user in users] for name in FIELDS)]
            waiting.append(pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=schema))
            if len(waiting) == 25:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting.clear()
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))


def ndjson(client):
    with open(f"{OUT}/users.ndjson", "w") as file:
        for uuid, users in pages(client):
            for user in users:
                row = {"organization_uuid": uuid, **{name: getattr(user, name) for name in FIELDS}}
                file.write(json.dumps(row) + "\n")


with sdk.ComplianceClient(os.environ["BENCH_KEY"], base_url=os.environ["BENCH_URL"], rate_limit_rpm=10**9) as client:
    {"parquet": parquet, "ndjson": ndjson}[sys.argv[1]](client)
