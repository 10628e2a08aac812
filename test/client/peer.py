"""Runs the public Python SDK as its documentation says and prints what it saw, as JSON: one result for each job on stdin."""

import dataclasses
import json
import sys

import claude_compliance_sdk as sdk


def everything(client):
    organizations = [dataclasses.asdict(organization) for organization in client.organizations.iter()]
    users = {
        organization["uuid"]: [
            dataclasses.asdict(user) for user in client.organizations.iter_users(organization["uuid"], limit=100)
        ]
        for organization in organizations
    }
    return {"organizations": organizations, "users": users}


def one_page(client, organization, **parameters):
    page = client.organizations.list_users(organization, **parameters)
    return {
        "data": [dataclasses.asdict(user) for user in page.data],
        "has_more": page.has_more,
        "next_page": page.next_page,
    }


def run(job):
    client = sdk.ComplianceClient(job["key"], base_url=job["url"], max_retries=0, rate_limit_rpm=100_000)
    try:
        if job["ask"] == "everything":
            return everything(client)
        if job["ask"] == "list":
            return client.organizations.list() and None
        return one_page(client, job["organization"], **job.get("parameters", {}))
    except sdk.APIError as error:
        return {
            "classes": [kind.__name__ for kind in type(error).__mro__],
            "status": error.status_code,
            "type": error.error_type,
            "message": error.error_message,
        }
    finally:
        client.close()


print(json.dumps([run(job) for job in json.load(sys.stdin)]))
