"""The runs of the pipeline, and one of them step by step."""

from fastapi import APIRouter, Request, Response

from orchestration.dashboard.access import HOME, Read
from orchestration.dashboard.graph import draw_graph
from orchestration.dashboard.reading import Row
from orchestration.dashboard.rendering import render
from warehouse.errors import NotFoundError

RUNS_SHOWN = 50
router = APIRouter()


@router.get(f"{HOME}/runs")
def show_runs(request: Request, read: Read) -> Response:
    """The last runs, newest first."""
    return render(request, "runs", runs=read.rows("runs", limit=RUNS_SHOWN))


@router.get(f"{HOME}/runs/{{run_id}}")
def show_run(request: Request, read: Read, run_id: str) -> Response:
    """What one run did, step by step.

    Raises:
        NotFoundError: there is no such run.
    """
    run = read.row("run", run_id=run_id)
    if not run:
        raise NotFoundError(
            "There is no such run.", code="dashboard.no_such_page", remedy="Runs are listed under Runs."
        )
    steps = read.rows("run_steps", run_id=run_id)
    return render(
        request,
        "run",
        run=run,
        steps=_placed(run, steps),
        graph=draw_graph(steps),
        results=read.rows("run_dbt_results", run_id=run_id),
        exports=read.rows("run_exports", run_id=run_id),
    )


def _placed(run: Row, steps: list[Row]) -> list[Row]:
    """The steps, each with its place on a line as long as the run: per mille of it."""
    length = max(run["seconds"], 0.001)
    return [
        {
            **step,
            "starts": max(0, round(1000 * (step["started_at"] - run["started_at"]).total_seconds() / length)),
            "lasts": max(4, round(1000 * step["seconds"] / length)),
        }
        for step in steps
    ]
