"""The contract: what its file says is what loader and staging go by."""

import csv
from pathlib import Path

import pytest
import yaml

from orchestration.synth import HEADERS
from warehouse.contract import FIELD_TYPES, STAGING_FOLDER, list_forms, load_contract
from warehouse.errors import ContractError
from warehouse.raw_tables import ENVELOPE
from warehouse.settings import PROJECT_ROOT

DICTIONARY = PROJECT_ROOT.parent / "shared" / "data" / "dictionary.csv"
DEVICE_FIELDS = {
    "submission_id", "survey_date", "survey_round", "enumerator_id", "device_id", "respondent_name", "phone_number",
    "latitude", "longitude", "has_electricity", "education_level", "total_income", "consent",
}  # fmt: skip


@pytest.fixture
def dictionary() -> list[dict[str, str]]:
    if not DICTIONARY.exists():
        pytest.skip("the dictionary is not here")
    with DICTIONARY.open() as file:
        return list(csv.DictReader(file))


def test_forms_are_those_with_a_raw_table_and_other_sources_are_none() -> None:
    assert list_forms() == ("household_survey", "quarterly_report")


def test_every_field_of_the_dictionary_is_there_in_order(dictionary: list[dict[str, str]]) -> None:
    contract = load_contract("household_survey")
    assert list(contract.names[:75]) == [row["canonical_name"] for row in dictionary]
    assert set(contract.names[75:]) == DEVICE_FIELDS


def test_types_and_units_are_those_of_the_dictionary(dictionary: list[dict[str, str]]) -> None:
    fields = {field.name: field for field in load_contract("household_survey").fields}
    for row in dictionary:
        assert fields[row["canonical_name"]].type == row["type"]
        assert (fields[row["canonical_name"]].unit or "") == row["unit"]


def test_header_of_the_export_resolves_to_every_field() -> None:
    contract = load_contract("household_survey")
    assert contract.resolve(HEADERS) == list(contract.names[:75])


def test_second_of_two_equal_headers_is_dollars() -> None:
    contract = load_contract("household_survey")
    assert contract.resolve(["Assets", "VSLA_Profits", "Assets", "VSLA_Profits", "Assets"]) == [
        "assets_ugx", "vsla_profits_ugx", "assets_usd", "vsla_profits_usd", None,
    ]  # fmt: skip


def test_headers_count_whatever_their_case_and_outer_spaces() -> None:
    contract = load_contract("household_survey")
    assert contract.resolve([" householdid", "AGRICULTURAL_LAND", "Household  Size"]) == [
        "household_id", "agricultural_land_acres", None,
    ]  # fmt: skip


@pytest.mark.parametrize("form", list_forms())
def test_every_field_is_described_and_has_a_known_type(form: str) -> None:
    source = STAGING_FOLDER / form / f"_{form}__sources.yml"
    for column in yaml.safe_load(source.read_text())["sources"][0]["tables"][0]["columns"]:
        assert len(column["description"]) > 10, column["name"]
    known = {*FIELD_TYPES.values(), "code", "multi-code"}
    assert {field.type for field in load_contract(form).fields} <= known


@pytest.mark.parametrize("form", list_forms())
def test_envelope_of_every_form_is_documented(form: str) -> None:
    source = STAGING_FOLDER / form / f"_{form}__sources.yml"
    columns = yaml.safe_load(source.read_text())["sources"][0]["tables"][0]["columns"]
    marked = [column["name"] for column in columns if column["config"]["meta"].get("envelope")]
    assert set(marked) == set(ENVELOPE)


def test_each_form_has_its_own_identifier_and_indexed_fields() -> None:
    survey, report = load_contract("household_survey"), load_contract("quarterly_report")
    assert (survey.identifier, report.identifier) == ("household_id", "village")
    assert set(survey.indexed) == {
        "household_id", "submission_id", "district", "cluster", "village", "survey_round", "enumerator_id", "device_id",
    }  # fmt: skip
    assert set(report.indexed) == {"submission_id", "partner", "district", "village"}


def test_parts_of_the_target_are_marked() -> None:
    marked = {field.name for field in load_contract("household_survey").fields if field.component_of_target}
    assert {"household_income", "consumption_and_residues", "agricultural_value", "formal_employment_income"} <= marked
    assert not marked & {"assets_usd", "household_size", "radios_owned", "vsla_profits_usd", "total_income"}


@pytest.mark.parametrize("form", ["no_such_form", "../../etc/passwd", "", "ml", "ledger"])
def test_unknown_form_is_told(form: str) -> None:
    with pytest.raises(ContractError):
        load_contract(form)


def test_broken_contract_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "_broken__sources.yml").write_text("sources: [{tables: [{name: submissions}]}]")
    monkeypatch.setattr("warehouse.contract.STAGING_FOLDER", tmp_path)
    with pytest.raises(ContractError, match="cannot be read"):
        load_contract("broken")
