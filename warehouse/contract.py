"""A form's contract: the dbt source definition, read once for all who need it.

`dbt_project/models/staging/<form>/_<form>__sources.yml` lists every field of a form. The loader takes from it
the raw table's columns and the names that a header may bear; dbt takes its documentation and staging's casts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import yaml

from warehouse.errors import ContractError
from warehouse.settings import PROJECT_ROOT

STAGING_FOLDER = PROJECT_ROOT / "dbt_project" / "models" / "staging"
IDENTIFIER = "household_id"
PersonalKind = Literal["name", "phone", "coordinate", "identifier"]
FIELD_TYPES = {
    "text": "text",
    "integer": "integer",
    "double precision": "numeric",
    "boolean": "boolean",
    "date": "date",
}


@dataclass(frozen=True)
class Field:
    """One question of a form, under its canonical name.

    Attributes:
        headers: other names that files give it. Where a file repeats a header H, its second column is `H#2`.
        type: text, integer, numeric, boolean, date, code or multi-code (several codes parted by a space).
        codes: the values that may stand here, () where any may.
        missing_codes: values that say *refused* or *unknown*; staging makes them null.
        indexed: whether the warehouse indexes or groups by it, so that its values must be short.
        pii: whether it identifies a person, so that it is encrypted where it lands and a stand-in takes its place.
        pii_kind: what the stand-in is made of: a name, a phone, a coordinate or an identifier.
        component_of_target: whether the income per day is computed from it.
    """

    name: str
    description: str
    type: str
    headers: tuple[str, ...] = ()
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    codes: tuple[str, ...] = ()
    missing_codes: tuple[str, ...] = ()
    required: bool = False
    indexed: bool = False
    pii: bool = False
    pii_kind: PersonalKind = "identifier"
    component_of_target: bool = False


@dataclass(frozen=True)
class Contract:
    """The fields of one form, in order.

    Attributes:
        description: what one submission of it is.
        identifier: the field that says what a submission is about; it must be filled.
        is_judged: whether the pipeline judges each submission, and marts.rpt_ingestions says what became of it.
    """

    form: str
    version: str
    fields: tuple[Field, ...]
    description: str = ""
    identifier: str = IDENTIFIER
    is_judged: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical names."""
        return tuple(field.name for field in self.fields)

    @property
    def indexed(self) -> tuple[str, ...]:
        """The names of the fields whose values must be short."""
        return tuple(field.name for field in self.fields if field.indexed or field.name == self.identifier)

    def resolve(self, headers: Iterable[str]) -> list[str | None]:
        """The canonical name of each header, None for one that the contract does not know.

        A header counts as its canonical name or one of its other names, whatever the case and outer spaces.
        Where two headers stand for the same field, the first has it.
        """
        seen: dict[str, int] = {}
        taken: set[str] = set()
        resolved: list[str | None] = []
        for header in headers:
            plain = _fold(header)
            seen[plain] = seen.get(plain, 0) + 1
            name = self._aliases.get(plain if seen[plain] == 1 else f"{plain}#{seen[plain]}")
            resolved.append(None if name in taken else name)
            taken.update([name] if name else [])
        return resolved

    @cached_property
    def _aliases(self) -> dict[str, str]:
        canonical = {_fold(field.name): field.name for field in self.fields}
        return {_fold(header): field.name for field in self.fields for header in field.headers} | canonical


@cache
def load_contract(form: str) -> Contract:
    """The contract of a form.

    Raises:
        ContractError: there is no such form, or its definition is not as it should be.
    """
    path = _definition(form)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", form) or not path.exists():
        raise _unknown(form)
    try:
        table = _raw_table(path)
        if table is None:
            raise _unknown(form)
        return _contract(form, table)
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ContractError(f"The contract of {form} in {path.name} cannot be read: {error!r}.") from error


@cache
def list_forms() -> tuple[str, ...]:
    """The forms that have a contract."""
    definitions = sorted(STAGING_FOLDER.glob("*/_*__sources.yml"))
    return tuple(path.parent.name for path in definitions if _raw_table(path))


def describe_columns() -> dict[str, dict[str, str]]:
    """What each form's definition says about the columns of its raw table, units told, the envelope included."""
    tables = {form: _raw_table(_definition(form)) for form in list_forms()}
    return {
        form: {column["name"]: _described(column) for column in table["columns"]}
        for form, table in tables.items()
        if table
    }


def _described(column: dict[str, Any]) -> str:
    unit = _meta(column).get("unit")
    return str(column["description"]).strip() + (f" Unit: {unit}." if unit else "")


def _definition(form: str) -> Path:
    return STAGING_FOLDER / form / f"_{form}__sources.yml"


def _raw_table(path: Path) -> dict[str, Any] | None:
    """The table that holds a form's submissions, None where the sources are not a form's."""
    (source,) = yaml.load(path.read_text(), yaml.CSafeLoader)["sources"]
    return next((dict(table) for table in source["tables"] if table["name"] == "submissions"), None)


def _unknown(form: str) -> ContractError:
    known = ", ".join(list_forms())
    return ContractError(f"There is no form {form!r}.", code="contract.unknown_form", remedy=f"Known forms: {known}.")


def _contract(form: str, table: dict[str, Any]) -> Contract:
    meta = _meta(table)
    columns = [column for column in table["columns"] if not _meta(column).get("envelope")]
    fields = tuple(_field(column) for column in columns)
    contract = Contract(
        form=form,
        version=str(meta["version"]),
        fields=fields,
        description=table["description"].strip(),
        identifier=meta["identifier"],
        is_judged=meta.get("is_judged", False),
    )
    if contract.identifier not in contract.names:
        raise ValueError(f"its identifier {contract.identifier} is no field")
    return contract


def _meta(node: dict[str, Any]) -> dict[str, Any]:
    return dict(node.get("config", {}).get("meta", {}))


def _field(column: dict[str, Any]) -> Field:
    meta = _meta(column)
    low, high = meta.get("range", (None, None))
    return Field(
        name=column["name"],
        description=column["description"].strip(),
        type=meta.get("type", FIELD_TYPES[column["data_type"]]),
        headers=tuple(meta.get("headers", ())),
        unit=meta.get("unit"),
        minimum=low,
        maximum=high,
        codes=tuple(str(code) for code in meta.get("codes", ())),
        missing_codes=tuple(str(code) for code in meta.get("missing_codes", ())),
        required=meta.get("required", False),
        indexed=meta.get("indexed", False),
        pii=meta.get("pii", False),
        pii_kind=meta.get("pii_kind", "identifier"),
        component_of_target=meta.get("component_of_target", False),
    )


def _fold(header: str) -> str:
    return " ".join(header.split()).casefold()
