"""Made-up surveys give way to real ones, whichever door those come through."""

import io
import json

import pytest

from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from orchestration.context import Warehouse
from orchestration.sample import DEVICE_SURVEY, SAMPLE, clear_sample_beside_others, refuse_sample_beside_others
from tests.registered import make_features_function, make_scored_rows, register_model
from tests.surveys import send_survey
from warehouse.database import queries
from warehouse.errors import ConfigurationError

FORM = "household_survey"


def load(warehouse: Warehouse, content: bytes) -> None:
    receive_file(
        warehouse.database, warehouse.store, io.BytesIO(content), form=FORM, filename="survey.csv", source="cli"
    )
    land_next(warehouse.database, warehouse.store)


@pytest.fixture
def with_sample(warehouse: Warehouse) -> Warehouse:
    """A warehouse that holds the sample, as the demo leaves it."""
    load(warehouse, SAMPLE.read_bytes())
    survey = json.loads(DEVICE_SURVEY)
    send_survey(warehouse.database, survey["household_id"], survey["survey_data"], body=DEVICE_SURVEY)
    return warehouse


def households(warehouse: Warehouse) -> list[str]:
    with warehouse.database.transaction() as connection:
        return [row[0] for row in connection.execute("select household_id from raw.household_survey order by 1")]


def test_sample_alone_stays(with_sample: Warehouse) -> None:
    assert not clear_sample_beside_others(with_sample.database)
    assert len(households(with_sample)) > 1000


def test_sample_gives_way_to_a_file(with_sample: Warehouse) -> None:
    load(with_sample, b"HouseHoldID,District,HouseholdSize\nA-1,Kanungu,5\n")
    assert clear_sample_beside_others(with_sample.database)
    assert households(with_sample) == ["A-1"]
    assert not clear_sample_beside_others(with_sample.database)


def test_sample_gives_way_to_one_survey(with_sample: Warehouse) -> None:
    send_survey(with_sample.database, "A-2", {"district": "Kanungu"})
    assert clear_sample_beside_others(with_sample.database)
    assert households(with_sample) == ["A-2"]


IN_USE = """
create table staging.stg_household_survey__submissions as
select ingestion_id, household_id || row_number() over () as submission_id from raw.household_survey;
insert into ml.training_rows
select 'vulnerability_screening', 1, submission_id from staging.stg_household_survey__submissions;
"""
IS_IN_USE = """
select to_regclass('staging.stg_household_survey__submissions') is not null,
    exists (select from ml.model_events where event = 'retired')
"""


def make_used(warehouse: Warehouse) -> None:
    """Stand in for a build and a training."""
    with warehouse.database.transaction() as connection:
        connection.execute(IN_USE.encode())
    register_model(warehouse, make_scored_rows(1.0))


def is_used(warehouse: Warehouse) -> tuple[object, ...]:
    with warehouse.database.transaction() as connection:
        return connection.execute(IS_IN_USE.encode()).fetchone() or ()


def test_what_was_built_and_learnt_of_the_sample_goes_with_it(with_sample: Warehouse) -> None:
    make_features_function(with_sample.database)
    make_used(with_sample)
    load(with_sample, b"HouseHoldID,District,HouseholdSize\nA-1,Kanungu,5\n")
    assert clear_sample_beside_others(with_sample.database)
    assert is_used(with_sample) == (False, True)


def test_sample_that_comes_to_a_warehouse_in_use_takes_nothing_with_it(warehouse: Warehouse) -> None:
    load(warehouse, b"HouseHoldID,District,HouseholdSize\nA-1,Kanungu,5\n")
    make_features_function(warehouse.database)
    make_used(warehouse)
    load(warehouse, SAMPLE.read_bytes())
    assert clear_sample_beside_others(warehouse.database)
    assert households(warehouse) == ["A-1"]
    assert is_used(warehouse) == (True, False)


def test_correction_of_the_sample_is_a_part_of_it(with_sample: Warehouse) -> None:
    correction = send_survey(with_sample.database, "A-3", {"district": "Kanungu"})
    with with_sample.database.transaction() as connection:
        (ingestion_id,) = connection.execute(b"select min(ingestion_id) from raw.ingestions").fetchone() or (None,)
        values = {"ingestion_id": correction.ingestion_id, "corrected_ingestion_id": ingestion_id}
        connection.execute(queries("review")["note_correction"], values)
    assert not clear_sample_beside_others(with_sample.database)
    load(with_sample, b"HouseHoldID,District,HouseholdSize\nA-1,Kanungu,5\n")
    assert clear_sample_beside_others(with_sample.database)
    assert households(with_sample) == ["A-1"]


def test_sample_is_refused_where_others_are(warehouse: Warehouse) -> None:
    refuse_sample_beside_others(warehouse.database, warehouse.settings.home)
    load(warehouse, b"HouseHoldID,District,HouseholdSize\nA-1,Kanungu,5\n")
    with pytest.raises(ConfigurationError, match="not the sample's"):
        refuse_sample_beside_others(warehouse.database, warehouse.settings.home)
