"""The process that dbt runs in: reads one invocation a line, answers one result a line.

It stays warm between invocations and ends with its parent, in the middle of a build if need be.
"""

import json
import os
import queue
import sys
import threading
from typing import TextIO


def main() -> None:
    """Serve invocations (a JSON list of arguments a line) from standard input until it closes."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what dbt prints goes to the log
    invocations: queue.Queue[list[str]] = queue.Queue()
    threading.Thread(target=_serve, args=(invocations, answers), daemon=True).start()
    for line in sys.stdin:
        invocations.put(json.loads(line))
    os._exit(0)  # the parent is gone: end now, also in the middle of a build


def _serve(invocations: "queue.Queue[list[str]]", answers: TextIO) -> None:
    from dbt.cli.main import dbtRunner

    runner = dbtRunner()
    while True:
        result = runner.invoke(invocations.get())
        nodes = [
            {
                "unique_id": node.node.unique_id,
                "name": node.node.name,
                "kind": str(node.node.resource_type),
                "status": str(node.status),
                "seconds": node.execution_time,
                "message": node.message,
                "rows_affected": node.adapter_response.get("rows_affected"),
                "failures": node.failures,
            }
            for node in getattr(result.result, "results", [])
            if getattr(node, "node", None) is not None
        ]
        problem = str(result.exception) if result.exception else None
        answers.write(json.dumps({"success": result.success, "problem": problem, "nodes": nodes}) + "\n")


if __name__ == "__main__":
    main()
