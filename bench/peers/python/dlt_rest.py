"""The directory with dlt's declarative source (rest_api), as Parquet or as jsonl (which dlt compresses)."""

import os
import sys

import dlt
from dlt.sources.rest_api import rest_api_source

OUT = os.environ["BENCH_OUT"]
source = rest_api_source(
    {
        "client": {
            "base_url": os.environ["BENCH_URL"] + "/v1/compliance/",
            "auth": {"type": "api_key", "name": "x-api-key", "api_key": os.environ["BENCH_KEY"], "location": "header"},
            "paginator": {"type": "cursor", "cursor_path": "next_page", "cursor_param": "page"},
        },
        "resource_defaults": {"endpoint": {"params": {"limit": 1000}, "data_selector": "data"}},
        "resources": [
            {"name": "organizations", "endpoint": {"path": "organizations"}},
            {
                "name": "users",
                "endpoint": {"path": "organizations/{resources.organizations.uuid}/users"},
                "include_from_parent": ["uuid"],
                "parallelized": int(os.environ["BENCH_IN_FLIGHT"]) > 1,
            },
        ],
    }
)
destination = dlt.destinations.filesystem(bucket_url=f"file://{OUT}/data")
pipeline = dlt.pipeline("bench", destination=destination, dataset_name="directory", pipelines_dir=f"{OUT}/state")
pipeline.run(source, loader_file_format=sys.argv[1]).raise_on_failed_jobs()
