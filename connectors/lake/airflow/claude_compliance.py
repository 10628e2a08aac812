"""A snapshot a night of every parent organisation that has a configuration, as an Airflow DAG (Airflow 3).

Each file of /etc/claude-compliance-connector, such as acme.json, is one parent organisation: its own key, budget, root and state.
A mapped task takes each snapshot; they share nothing, so one that fails does not hinder the others. The workers need the
command `claude-compliance-connector`, and a disk for the state of the configuration that outlives the task: a retry resumes there.
"""

import os
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

TENANTS = Path(os.environ.get("CLAUDE_COMPLIANCE_TENANTS", "/etc/claude-compliance-connector"))
TRY_LATER = 75


# No catch-up, and no run date from Airflow: the API serves the directory of today only. A snapshot filed under a past
# date would be no evidence of that date.
@dag(
    schedule="17 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    tags=["claude", "compliance"],
)
def claude_compliance():
    @task
    def tenants() -> list[str]:
        found = sorted(str(path) for path in TENANTS.glob("*.json"))
        if not found:
            raise AirflowFailException(f"There is no configuration in {TENANTS}.")
        return found

    @task(
        retries=24,
        retry_delay=timedelta(minutes=15),
        execution_timeout=timedelta(hours=12),
        max_active_tis_per_dagrun=8,
        map_index_template="{{ tenant }}",
    )
    def dump(config: str):
        from airflow.sdk import get_current_context

        get_current_context()["tenant"] = Path(config).stem
        code = subprocess.run(["claude-compliance-connector", "dump", "--config", config], check=False).returncode
        # A signal (negative) is a worker that was shut down, or out of memory: it may succeed when tried again.
        if code == TRY_LATER or code < 0:
            raise AirflowException(f"Try later: the dump ended with {code}.")
        if code != 0:
            raise AirflowFailException(f"A person must look: the dump ended with {code}.")

    dump.expand(config=tenants())


claude_compliance()
