"""The directory as Parquet with dlt: a source of our own that yields Arrow tables, dlt's fastest way."""

import os

import dlt
import pyarrow as pa
from dlt.sources.helpers import requests

BASE, OUT = os.environ["BENCH_URL"] + "/v1/compliance/organizations", os.environ["BENCH_OUT"]
IN_FLIGHT = int(os.environ["BENCH_IN_FLIGHT"])
session = requests.Client().session
session.headers["x-api-key"] = os.environ["BENCH_KEY"]


def pages(url):
    parameters = {"limit": 1000}
    while True:
        page = session.get(url, params=parameters).json()
        yield page["data"]
        if not page["has_more"]:
            return
        parameters["page"] = page["next_page"]


@dlt.resource(selected=False)
def organizations():
    yield from pages(BASE)


@dlt.transformer(data_from=organizations, write_disposition="append", parallelized=IN_FLIGHT > 1)
def users(found):
    for organization in found:
        yield from users_of(organization) if IN_FLIGHT == 1 else [deferred(organization)]


def users_of(organization):
    for data in pages(f"{BASE}/{organization['uuid']}/users"):
        table = pa.Table.from_pylist(data)
        yield table.append_column("organization_uuid", pa.array([organization["uuid"]] * len(data)))


@dlt.defer
def deferred(organization):
    return list(users_of(organization))


destination = dlt.destinations.filesystem(bucket_url=f"file://{OUT}/data")
pipeline = dlt.pipeline("bench", destination=destination, dataset_name="directory", pipelines_dir=f"{OUT}/state")
pipeline.run(users, loader_file_format="parquet").raise_on_failed_jobs()
