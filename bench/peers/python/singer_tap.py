"""The directory as Singer messages on stdout, with Meltano's SDK."""

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import JSONPathPaginator


class Listed(RESTStream):
    records_jsonpath = "$.data[*]"

    @property
    def url_base(self):
        return self.config["url"] + "/v1/compliance"

    @property
    def http_headers(self):
        return {"x-api-key": self.config["key"]}

    def get_new_paginator(self):
        return JSONPathPaginator("$.next_page")

    def get_url_params(self, context, next_page_token):
        return {"limit": 1000, **({"page": next_page_token} if next_page_token else {})}


def schema(*names):
    return th.PropertiesList(*(th.Property(name, th.StringType) for name in names)).to_dict()


class Organizations(Listed):
    name = "organizations"
    path = "/organizations"
    primary_keys = ("uuid",)
    schema = schema("uuid", "name", "created_at")

    def get_child_context(self, record, context):
        return {"organization_uuid": record["uuid"]}


class Users(Listed):
    name = "users"
    path = "/organizations/{organization_uuid}/users"
    primary_keys = ("organization_uuid", "id")
    parent_stream_type = Organizations
    state_partitioning_keys = ()
    schema = schema("organization_uuid", "id", "full_name", "email", "organization_role", "created_at")

    def post_process(self, row, context=None):
        return {**context, **row}


class Directory(Tap):
    name = "tap-directory"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True), th.Property("key", th.StringType, required=True)
    ).to_dict()

    def discover_streams(self):
        return [Organizations(self), Users(self)]


if __name__ == "__main__":
    Directory.cli()
