"""Runs the DAG of a folder as Airflow does, retries at once, and prints how its tasks ended as a line of JSON."""

import json
from datetime import timedelta

from airflow.dag_processing.dagbag import DagBag

bag = DagBag()
if bag.import_errors:
    raise SystemExit(str(bag.import_errors))
dag = bag.dags["claude_compliance"]
settings = {"catchup": dag.catchup, "max_active_runs": dag.max_active_runs}
mapped = dag.get_task("dump")
settings["retry_delay"] = mapped.partial_kwargs["retry_delay"].total_seconds()
mapped.partial_kwargs["retry_delay"] = timedelta(0)
run = dag.test()
tasks = [
    {"task": task.task_id, "tenant": task.rendered_map_index, "state": task.state, "tries": task.try_number}
    for task in sorted(run.get_task_instances(), key=lambda task: (task.task_id, task.map_index))
]
print("ended: " + json.dumps({"state": run.state, "tasks": tasks, **settings}))
