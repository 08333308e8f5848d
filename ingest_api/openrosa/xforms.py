"""A contract as an XForm: the questionnaire that a phone downloads, its questions named as the fields are."""

import hashlib
from dataclasses import dataclass
from functools import cache

from ingest_api.layouts import SUBMISSION_ID
from warehouse.contract import Contract, Field, load_contract

YES_NO = "yes_no"
PLAIN_TYPES = {"integer": "integer", "numeric": "decimal", "date": "date"}
METADATA = {"device_id": "deviceid"}  # filled by the phone, not asked
SEVERAL_CODES = "regex(., '[0-9]+( [0-9]+)*')"
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class BlankForm:
    """A form as phones get it.

    Attributes:
        checksum: MD5 of `xml` in hexadecimal, by which a phone knows whether it has this one.
    """

    form: str
    version: str
    title: str
    xml: bytes
    checksum: str


@cache
def blank_form(form: str) -> BlankForm:
    """The XForm of a form's contract.

    Raises:
        ContractError: there is no such form.
    """
    from pyxform.xls2xform import convert  # takes a second, and only this needs it

    contract = load_contract(form)
    title = _words(form)
    settings: Row = {"form_title": title, "form_id": form, "version": contract.version}
    workbook = {"survey": _questions(contract), "choices": _choices(contract), "settings": [settings]}
    xml = convert(workbook, form_name=form, warnings=[]).xform.encode()
    checksum = hashlib.md5(xml, usedforsecurity=False).hexdigest()
    return BlankForm(form, contract.version, title, xml, checksum)


def _questions(contract: Contract) -> list[Row]:
    # The phone names a submission itself, in meta/instanceID.
    return [_question(field) for field in contract.fields if field.name != SUBMISSION_ID]


def _question(field: Field) -> Row:
    if field.name in METADATA:
        return {"type": METADATA[field.name], "name": field.name}
    question = {
        "type": _type(field),
        "name": field.name,
        "label": _words(field.name),
        "hint": f"{field.description} ({field.unit})" if field.unit else field.description,
    }
    if field.required:
        question["required"] = "yes"
    return question | _constraint(field)


def _type(field: Field) -> str:
    if field.type == "boolean":
        return f"select_one {YES_NO}"
    if field.codes and field.type in ("code", "multi-code"):
        return f"{'select_one' if field.type == 'code' else 'select_multiple'} {field.name}"
    return PLAIN_TYPES.get(field.type, "text")


def _constraint(field: Field) -> Row:
    if field.type == "multi-code" and not field.codes:
        return {"constraint": SEVERAL_CODES, "constraint_message": "Codes, parted by spaces."}
    if field.minimum is None or field.maximum is None:
        return {}
    allowed = [f". >= {field.minimum} and . <= {field.maximum}", *(f". = {code}" for code in field.missing_codes)]
    message = ", or ".join([f"From {field.minimum} to {field.maximum}", *field.missing_codes])
    return {"constraint": " or ".join(allowed), "constraint_message": message}


def _choices(contract: Contract) -> list[Row]:
    choices = [
        {"list_name": YES_NO, "name": "1", "label": "Yes"},
        {"list_name": YES_NO, "name": "0", "label": "No"},
    ]
    for field in contract.fields:
        choices += [{"list_name": field.name, "name": code, "label": code} for code in field.codes]
    return choices


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
