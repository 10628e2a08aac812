"""The same as sdk.py in Parquet, with several organisations in flight: what a wait for each answer asks for."""

import asyncio
import os

import claude_compliance_sdk as sdk
import pyarrow as pa
import pyarrow.parquet as pq

FIELDS = ("id", "full_name", "email", "organization_role", "created_at")
SCHEMA = pa.schema([(name, pa.string()) for name in ("organization_uuid", *FIELDS)])


async def read(client, organizations, write):
    for organization in organizations:
        more, page = True, {}
        while more:
            found = await client.organizations.list_users(organization.uuid, limit=1000, **page)
            columns = [[organization.uuid] * len(found.data), *([getattr(u, name) for u in found.data] for name in FIELDS)]
            write(pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=SCHEMA))
            more, page = found.has_more, {"page": found.next_page}


async def main():
    waiting = []
    key, url = os.environ["BENCH_KEY"], os.environ["BENCH_URL"]
    with pq.ParquetWriter(f"{os.environ['BENCH_OUT']}/users.parquet", SCHEMA, compression="zstd") as writer:

        def write(batch=None):
            waiting.extend([] if batch is None else [batch])
            if len(waiting) == 25 or (batch is None and waiting):
                writer.write_table(pa.Table.from_batches(waiting))
                waiting.clear()

        async with sdk.AsyncComplianceClient(key, base_url=url, rate_limit_rpm=10**9) as client:
            organizations = iter([organization async for organization in client.organizations.iter(limit=1000)])
            in_flight = int(os.environ["BENCH_IN_FLIGHT"])
            await asyncio.gather(*(read(client, organizations, write) for _ in range(in_flight)))
        write()


asyncio.run(main())
