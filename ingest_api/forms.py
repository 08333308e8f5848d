"""What an app may know of a form before it sends: its fields, and the JSON Schema of a survey."""

from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ingest_api.layouts import LONGEST_CELL
from ingest_api.records import LONGEST_NAME
from warehouse import contract as contracts
from warehouse.contract import Contract, list_forms, load_contract

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MULTI_CODE = r"^\d+( \d+)*$"
EXAMPLE_FIELD: dict[str, Any] = {
    "name": "household_size",
    "description": "People who live and eat in the household.",
    "type": "integer",
    "headers": ["HouseholdSize"],
    "unit": "people",
    "minimum": 1,
    "maximum": 40,
    "codes": [],
    "missing_codes": [],
    "required": True,
    "pii": False,
}
EXAMPLE_SUMMARY: dict[str, Any] = {
    "form": "household_survey",
    "version": "1",
    "description": "One row for each submission of the household survey.",
    "identifier": "household_id",
}
EXAMPLE_SCHEMA: dict[str, Any] = {
    "$schema": DIALECT,
    "$id": "urn:kyalo:form:household_survey:1",
    "type": "object",
    "required": ["household_size"],
    "properties": {"household_size": {"type": "integer", "minimum": 1, "maximum": 40}},
}


class FormSummary(BaseModel):
    """A form that surveys can be sent of.

    Attributes:
        identifier: the field that says what a survey is about; without it none is stored.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_SUMMARY]})

    form: str
    version: str
    description: str
    identifier: str


class FieldDescription(BaseModel):
    """One field: its canonical name, what it means, and what may stand in it.

    Attributes:
        type: text, integer, numeric, boolean, date, code, or multi-code (several codes parted by a space).
        headers: other names under which it is taken.
        missing_codes: values that say *refused* or *unknown*.
    """

    model_config = ConfigDict(from_attributes=True)

    name: str
    description: str
    type: str
    headers: list[str]
    unit: str | None
    minimum: float | None
    maximum: float | None
    codes: list[str]
    missing_codes: list[str]
    required: bool
    pii: bool


class FormDescription(FormSummary):
    """A form with its fields, and the JSON Schema (draft 2020-12) of its surveys.

    Attributes:
        survey_schema: of one survey whose fields stand side by side, the identifier among them.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**EXAMPLE_SUMMARY, "schema": EXAMPLE_SCHEMA, "fields": [EXAMPLE_FIELD]}],
        },
    )

    survey_schema: dict[str, Any] = Field(serialization_alias="schema")
    fields: list[FieldDescription]


class FormList(BaseModel):
    """Every form."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"forms": [EXAMPLE_SUMMARY]}]})

    forms: list[FormSummary]


@cache
def describe_forms() -> FormList:
    """Every form that has a contract."""
    return FormList(forms=[FormSummary(**_summary(load_contract(form))) for form in list_forms()])


@cache
def describe_form(form: str) -> FormDescription:
    """One form, as its contract says.

    Raises:
        ContractError: there is no such form.
    """
    contract = load_contract(form)
    fields = [FieldDescription.model_validate(_listed(field)) for field in contract.fields]
    return FormDescription(**_summary(contract), survey_schema=survey_schema(contract), fields=fields)


def survey_schema(contract: Contract) -> dict[str, Any]:
    """The JSON Schema of one survey: what it allows breaks no rule of its fields.

    Fields that the contract does not know are allowed, they are kept as well.
    """
    return {
        "$schema": DIALECT,
        "$id": f"urn:kyalo:form:{contract.form}:{contract.version}",
        "title": contract.form,
        "description": contract.description,
        "type": "object",
        "required": [field.name for field in contract.fields if _is_required(contract, field)],
        "properties": {field.name: _field_schema(contract, field) for field in contract.fields},
        "additionalProperties": True,
    }


def _summary(contract: Contract) -> dict[str, str]:
    return {
        "form": contract.form,
        "version": contract.version,
        "description": contract.description,
        "identifier": contract.identifier,
    }


def _listed(field: contracts.Field) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(field).items()}


def _is_required(contract: Contract, field: contracts.Field) -> bool:
    return field.required or field.name == contract.identifier


def _field_schema(contract: Contract, field: contracts.Field) -> dict[str, Any]:
    """What may stand in a field: a value of its type, a missing code, nothing where it is not required."""
    kinds = [_value_schema(contract, field)]
    if field.missing_codes:
        kinds.append({"enum": _spellings(field.missing_codes)})
    if not _is_required(contract, field):
        kinds.append({"type": "null"})
    head = {"description": field.description}
    return head | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds})


def _value_schema(contract: Contract, field: contracts.Field) -> dict[str, Any]:
    if field.type in {"integer", "numeric"}:
        bounds = {"minimum": field.minimum, "maximum": field.maximum}
        kind = {"type": "integer" if field.type == "integer" else "number"}
        return kind | {name: bound for name, bound in bounds.items() if bound is not None}
    if field.type == "boolean":
        return {"enum": [True, False, 0, 1]}
    if field.type == "date":
        return {"type": "string", "format": "date"}
    if field.type == "multi-code":
        return {"type": "string", "pattern": MULTI_CODE}
    if field.codes:
        return {"enum": _spellings(field.codes)}
    longest = LONGEST_NAME if field.name in contract.indexed else LONGEST_CELL
    shortest = {"minLength": 1, "pattern": r"\S"} if _is_required(contract, field) else {}
    return {"type": "string", "maxLength": longest, **shortest}


def _spellings(codes: tuple[str, ...]) -> list[str | int]:
    """Codes as text, and as numbers where they are such: apps send both."""
    return [*codes, *(int(code) for code in codes if code.removeprefix("-").isdigit())]
