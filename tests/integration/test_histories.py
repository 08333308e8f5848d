"""Whatever has happened in whatever order: building as it came and building anew end in the same tables."""

import os
import random
from dataclasses import dataclass, field

import pytest

from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.publish import publish
from tests.contents import contents
from tests.dbt_selections import WITHOUT_TESTS
from tests.surveys import correct_survey, load_text, send_survey

pytestmark = [pytest.mark.xdist_group("histories"), pytest.mark.timeout(900)]

HISTORIES = int(os.environ.get("KYALO_HISTORIES", "1"))  # `make histories` tries many
BUILDS = 4 if HISTORIES > 1 else 3
HEADER = "submission_id,household_id,district,village,household_size,phones_owned,consent,survey_date,survey_round\n"
DISTRICTS = ["Kanungu", "Mitooma", "Rubanda", ""]
WAIVED = ["identifier_collision", "district_required"]
SCHEMAS = ("staging", "validated", "features", "marts_next", "marts")
KEPT = ("int_field_baselines", "int_run_quality")  # frozen on purpose; about what is new


MODEL = """
    insert into ml.models (
        model_name, model_version, track, algorithm, object_key, sha256, size_bytes, feature_names,
        training_fingerprint, artifact_kind, metrics, metadata, run_id
    )
    values (
        'chance', %(version)s, 'screening', 'chance', 'models/' || %(version)s, repeat('0', 64), 1, array['district'],
        '', 'terms', '{}', '{}', 'history'
    )
    on conflict do nothing
"""
PROMOTION = """
    insert into ml.model_events (track, model_name, model_version, event, actor, reason, run_id)
    values ('screening', 'chance', %(version)s, 'promoted', 'chance', 'by chance', 'history')
"""
SUPERSEDED = """
    update ml.predictions
    set superseded_at = clock_timestamp()
    where superseded_at is null and hashtext(submission_id || %(seed)s) %% 3 = 0
"""
PREDICTIONS = """
    insert into ml.predictions (
        household_id, survey_round, submission_id, track, model_role, prediction, probability, confidence,
        risk_category, threshold, reasons, is_training_row, model_name, model_version, run_id, scored_at
    )
    select
        features.household_id, features.survey_round, features.submission_id, 'screening', 'champion', 0,
        abs(hashtext(features.submission_id || %(seed)s)) %% 100 / 100.0, 0.9, 'low', 0.5, '[]', false, 'chance',
        models.model_version, 'history', clock_timestamp()
    from features.fct_household_features as features
    cross join ml.champion_models as models
    where hashtext(features.submission_id || %(seed)s) %% 3 = 0
    on conflict do nothing
"""


@dataclass
class History:
    """What happens to a warehouse, by chance; a seed repeats it."""

    warehouse: Warehouse
    random: random.Random
    files: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def go_on(self) -> None:
        """Let a few things happen."""
        for _ in range(self.random.randint(2, 5)):
            self.random.choice(
                [self.load, self.load, self.resend, self.survey, self.correct, self.decide, self.score]
            )()

    def load(self) -> None:
        """A file of surveys: of few households, so that they meet; beside many that meet nobody."""
        rows = [self.row(f"MET-{self.random.randint(1, 12)}") for _ in range(self.random.randint(1, 12))]
        rows += [self.row(f"ALONE-{self.random.getrandbits(40):x}") for _ in range(300)]
        self.files.append(HEADER + "".join(rows))
        load_text(self.warehouse, self.files[-1])

    def resend(self) -> None:
        """An earlier file again, whole or in part."""
        if self.files:
            head, *rows = self.random.choice(self.files).splitlines(keepends=True)
            part = self.random.sample(rows, self.random.randint(1, len(rows)))
            load_text(self.warehouse, head + "".join(part))

    def survey(self) -> None:
        """A single survey of a device."""
        self.keys.append(f"device-{self.random.getrandbits(40):x}")
        answers = {"district": "Kanungu", "household_size": self.random.randint(1, 60), "survey_round": "2026"}
        household = f"MET-{self.random.randint(1, 12)}"
        send_survey(self.warehouse.database, household, answers, key=self.keys[-1])

    def correct(self) -> None:
        """A submission that stands in the place of an earlier one, which may be a correction itself, or yet to come."""
        self.keys.append(f"device-{self.random.getrandbits(40):x}")
        answers = {"household_id": f"MET-{self.random.randint(1, 12)}", "district": "Rubanda", "household_size": 3}
        correct_survey(self.warehouse.database, self.keys[-1], self.random.choice(self.keys), answers)

    def decide(self) -> None:
        """A reviewer decides about a submission, quarantined or not, or about a batch."""
        decision = self.random.choice(["release", "discard", "reopen"])
        with self.warehouse.database.transaction() as connection:
            connection.execute(
                """
                insert into review.decisions (submission_id, decision, rules, decided_by, reason)
                select
                    submission_key,
                    %(decision)s,
                    case when %(decision)s = 'release' then %(rules)s::text[] else '{}' end,
                    'reviewer',
                    'chance'
                from raw.household_survey
                where district is null or household_id like 'MET%%'
                order by md5(submission_key || %(salt)s)
                limit 5
                """,
                {"decision": decision, "rules": WAIVED, "salt": str(self.random.random())},
            )

    def score(self) -> None:
        """A model predicts something of some households, for the first time or anew; sometimes it is a new model."""
        with self.warehouse.database.transaction() as connection:
            version, seed = {"version": self.random.choice([1, 1, 2])}, {"seed": str(self.random.random())}
            connection.execute(MODEL, version)
            connection.execute(PROMOTION, version)
            connection.execute(SUPERSEDED, seed)
            connection.execute(PREDICTIONS, seed)

    def row(self, household: str) -> str:
        """One line of a file."""
        chance = self.random
        size = chance.choice([1, 4, 5, 6, 7, 8, 9, 10, 11, 12] * 10 + [400])
        district = chance.choice(DISTRICTS[:3] * 20 + DISTRICTS)
        phones = chance.choice(["1", "2", "-99", "2.0", "many"])
        consent = chance.choice([""] * 50 + ["no"])
        return f",{household},{district},V{size},{size},{phones},{consent},2026-01-0{chance.randint(1, 9)},2026\n"


@pytest.fixture(params=range(HISTORIES))
def history(request: pytest.FixtureRequest, warehouse: Warehouse) -> History:
    """A history that has not begun, on a warehouse of its own."""
    return History(warehouse, random.Random(request.param))  # noqa: S311 - no secret


def test_build_by_build_is_the_same_as_built_anew(history: History) -> None:
    with Dbt(history.warehouse) as dbt:
        history.load()
        for _ in range(BUILDS):
            dbt.build(*WITHOUT_TESTS)
            publish(history.warehouse.database)
            history.go_on()
        dbt.build(*WITHOUT_TESTS)
        publish(history.warehouse.database)
        as_it_came = contents(history.warehouse.database, *SCHEMAS, leaving_out=KEPT)
        dbt.build("--full-refresh", *WITHOUT_TESTS)
        publish(history.warehouse.database)
    anew = contents(history.warehouse.database, *SCHEMAS, leaving_out=KEPT)
    different = {table: (count, anew.get(table)) for table, count in as_it_came.items() if anew.get(table) != count}
    assert different == {}
    assert not as_it_came["marts.fct_quarantined_submissions"].startswith("0:")
