"""What the scripts of this folder share: the form in which they hand rows over, one JSON line for each table."""

import datetime
import json
import sys

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)

COLUMNS = {
    "organizations": ["uuid", "name", "created_at", "snapshot_date", "extra"],
    "users": [
        "organization_uuid",
        "id",
        "full_name",
        "email",
        "organization_role",
        "created_at",
        "snapshot_date",
        "extra",
    ],
}


def cell(value):
    """Instants as microseconds since 1970, dates as they are written, objects as JSON, all of it as text."""
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        return str((value - EPOCH) // MICROSECOND)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return str(value)


def give(form, stream, rows):
    """Hands the rows of one table over: dictionaries, of which only the columns of the table are taken."""
    rows = [{name: cell(row[name]) for name in COLUMNS[stream]} for row in rows]
    json.dump({"format": form, "stream": stream, "rows": rows}, sys.stdout)
    print(flush=True)
