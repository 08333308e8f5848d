"""The published form: its schema allows what the rules allow, and nothing that they refuse."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ingest_api.forms import describe_form, describe_forms
from ingest_api.schemas import EXAMPLE_SURVEY
from warehouse.contract import list_forms, load_contract
from warehouse.errors import ContractError

GOOD: dict[str, Any] = {"household_id": "KAN-001-AAA-1", "district": "Kanungu", "household_size": 5}


def validator(form: str = "household_survey") -> Draft202012Validator:
    return Draft202012Validator(describe_form(form).survey_schema)


@pytest.mark.parametrize("form", list_forms())
def test_schema_is_a_schema_and_has_every_field(form: str) -> None:
    described = describe_form(form)
    Draft202012Validator.check_schema(described.survey_schema)
    names = load_contract(form).names
    assert list(described.survey_schema["properties"]) == [field.name for field in described.fields] == list(names)
    assert described.identifier in described.survey_schema["required"]


def test_list_names_every_form_with_its_version() -> None:
    told = {form.form: (form.version, form.identifier) for form in describe_forms().forms}
    assert told == {"household_survey": ("1", "household_id"), "quarterly_report": ("1", "village")}


def test_the_documented_survey_passes() -> None:
    survey = {"household_id": EXAMPLE_SURVEY["household_id"], **EXAMPLE_SURVEY["survey_data"]}  # type: ignore[dict-item]
    assert validator().is_valid(survey)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("household_size", [1, 40, 5.0], [0, 41, 2.5, "five", None, True]),
        ("minutes_to_water", [0.001, 1440, None], [-1, 1441, "far"]),
        ("phones_owned", [0, -99, "-99", None], [-1, 31]),
        ("head_sex", ["1", 2, None], ["3", 3, "x"]),
        ("has_latrine", [True, 0, 1, None], ["maybe", 2]),
        ("loan_sources", ["1 7", "97", None], ["1  7", "none", 7]),
        ("household_id", ["A"], ["", "   ", None, "A" * 256, 5]),
        ("enumerator_id", ["x" * 65_536], ["x" * 65_537, 5]),
        ("a_new_question", ["anything", {"at": "all"}], []),
    ],
)
def test_value_is_judged_as_the_rules_will(field: str, good: list[Any], bad: list[Any]) -> None:
    judged = {repr(value)[:30]: validator().is_valid(GOOD | {field: value}) for value in [*good, *bad]}
    assert judged == {repr(value)[:30]: index < len(good) for index, value in enumerate([*good, *bad])}


@pytest.mark.parametrize("missing", list(GOOD))
def test_required_field_must_be_there(missing: str) -> None:
    assert not validator().is_valid({name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize("form", ["no_such_form", "ledger", "ml", "../ml", "a\0b"])
def test_unknown_form_is_told(form: str) -> None:
    with pytest.raises(ContractError) as error:
        describe_form(form)
    assert error.value.error_code == "contract.unknown_form"
