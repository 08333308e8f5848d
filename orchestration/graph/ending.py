"""The end of a step that took too long: its queries and its processes."""

import contextlib

import psutil

from orchestration.graph.step import Step
from orchestration.runs import Run, fetch
from warehouse.database import Database
from warehouse.errors import DatabaseUnavailableError


class Ender:
    """Ends what the steps of a run have under way; to be made before the run starts any process.

    Args:
        database: the warehouse.
        run: the run.
    """

    def __init__(self, database: Database, run: Run) -> None:
        self._database, self._run = database, run
        self._others = set(psutil.Process().children(recursive=True))

    def end(self, step: Step) -> None:
        """End the queries of a step, and the processes where it works in some: its thread then gets an error."""
        names = [self._run.name_connections(step.name)]
        if step.has_children:
            names.append(self._run.name_connections("dbt"))
            for process in set(psutil.Process().children(recursive=True)) - self._others:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        with contextlib.suppress(DatabaseUnavailableError):
            fetch(self._database, "end_backends", names=names)
