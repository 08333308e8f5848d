"""Every way in which a process is killed here, and what must hold after each of them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.points import Point, answered, commit_begun, commit_durable, half_sent, object_begun, row_written
from tests.chaos.stand import Stand, Victim
from tests.chaos.uploads import FILE_ROWS, Client, Upload, file, large_file, surveys
from tests.processes import until

ROW = "raw.household_survey"
LEDGER = "raw.ingestions"
JOBS = "jobs.procrastinate_jobs"


@dataclass(frozen=True)
class Scenario:
    """What is sent, how far the work comes, and who is killed then.

    Attributes:
        chores: whether a worker starts for it whose chores are due.
        only_by_make: whether it is left to `make chaos`, as others come near enough to it.
    """

    name: str
    victim: Victim
    uploads: Callable[[str], list[Upload]]
    point: Point
    chores: bool = False
    only_by_make: bool = False


SCENARIOS = (
    Scenario("api: half of a survey", "api", surveys, half_sent),
    Scenario("api: survey not yet written", "api", surveys, row_written(ROW, "insert", "true")),
    Scenario("api: survey durable, not answered", "api", surveys, commit_durable),
    Scenario("api: survey answered", "api", surveys, answered, only_by_make=True),
    Scenario("api: half of a file", "api", file, half_sent, only_by_make=True),
    Scenario("api: object being written", "api", large_file, object_begun),
    Scenario("api: object kept, file not in the ledger", "api", file, row_written(LEDGER, "insert", "true")),
    Scenario(
        "api: file in the ledger, no job",
        "api",
        file,
        row_written(JOBS, "insert", "new.task_name = 'land_file'"),
        only_by_make=True,
    ),
    Scenario("api: file durable, not answered", "api", file, commit_durable),
    Scenario("api: file answered", "api", file, answered, only_by_make=True),
    Scenario(
        "worker: before the first identity",
        "worker",
        file,
        row_written("raw.submission_keys", "insert", "true"),
        only_by_make=True,
    ),
    Scenario("worker: mid-copy", "worker", file, row_written(ROW, "insert", f"new.row_number = {FILE_ROWS // 2}")),
    Scenario("worker: rows in, no balance", "worker", file, row_written(LEDGER, "update", "new.status = 'loaded'")),
    Scenario("worker: landed, job open", "worker", file, row_written(JOBS, "delete", "old.task_name = 'land_file'")),
    Scenario(
        "worker: bodies in the store, not in the ledger",
        "worker",
        surveys,
        row_written(LEDGER, "update", "old.object_key is distinct from new.object_key"),
        chores=True,
    ),
    Scenario("postgres: half of a survey", "postgres", surveys, half_sent, only_by_make=True),
    Scenario(
        "postgres: survey not yet written", "postgres", surveys, row_written(ROW, "insert", "true"), only_by_make=True
    ),
    Scenario("postgres: survey in its commit", "postgres", surveys, commit_begun(ROW)),
    Scenario("postgres: file in its commit", "postgres", file, commit_begun(LEDGER)),
    Scenario("postgres: survey durable, not answered", "postgres", surveys, commit_durable),
    Scenario(
        "postgres: object kept, file not in the ledger",
        "postgres",
        file,
        row_written(LEDGER, "insert", "true"),
        only_by_make=True,
    ),
    Scenario("postgres: mid-copy", "postgres", file, row_written(ROW, "insert", f"new.row_number = {FILE_ROWS // 2}")),
    Scenario(
        "postgres: rows in, no balance",
        "postgres",
        file,
        row_written(LEDGER, "update", "new.status = 'loaded'"),
        only_by_make=True,
    ),
)

LEDGER_DIFFERS = """
select ingestion_id, status, received_rows, stored_rows, found, error_message from raw.ingestions
left join (select ingestion_id, count(*) as found from raw.household_survey group by ingestion_id) as stored
    using (ingestion_id)
where
    stored_rows <> coalesce(found, 0)
    or received_rows <> stored_rows + duplicate_rows + rejected_rows + conflict_rows
    or status = 'failed'
"""
STORED = "select household_id from raw.household_survey where household_id = any(%s)"
NO_ORIGINAL = """
select ingestion_id from raw.ingestions
where object_key is null and not exists (select from raw.bodies where bodies.ingestion_id = ingestions.ingestion_id)
"""


def play(stand: Stand, scenario: Scenario, run: str) -> Client:
    """Let a scenario happen, let everything start again, and check that nothing is lost or doubled.

    Returns:
        the client, which tells how much it had to send again.
    """
    client = Client(stand.port, stand.token, scenario.uploads(run))
    with scenario.point(stand, client) as is_reached:
        client.start()
        if scenario.chores:
            until(lambda: not client.missing)
            _make_chores_due(stand)
        until(is_reached)
        stand.kill(scenario.victim)
    stand.restore()
    client.finish()
    stand.settle()
    _check(stand, client)
    return client


def _make_chores_due(stand: Stand) -> None:
    stand.kill("worker")
    stand.execute("delete from jobs.procrastinate_periodic_defers")
    stand.restore()


def _check(stand: Stand, client: Client) -> None:
    sent = Counter(household for upload in client.uploads for household in upload.households)
    with stand.database.transaction() as connection:
        rows = connection.execute(STORED, [list(sent)])
        stored = Counter(row[0] for row in rows)
        wrong = connection.execute(LEDGER_DIFFERS).fetchall()
        without_original = connection.execute(NO_ORIGINAL).fetchall()
    assert wrong == [], "ledger and rows differ, or a landing failed"
    assert (sent - stored).total() == 0, "surveys are lost"
    assert (stored - sent).total() == 0, "surveys are doubled"
    assert without_original == [], "originals are lost"
