"""What stands in the place of a personal answer, and what does not stand there any more."""

import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_api.detection import say_header
from ingest_api.layouts import DocumentLayout
from ingest_api.personal import (
    Finding,
    Sealer,
    describe_findings,
    open_token,
    say_findings,
    say_unknown,
    stand_in_of,
)
from ingest_api.readers.json_reader import document_submission
from ingest_api.records import Rejection, Submission
from warehouse.contract import PersonalKind, load_contract
from warehouse.crypto.keys import KeyRing, new_key

FORM = "household_survey"
KEYS = KeyRing((new_key(),), b"h" * 32)
CONTRACT = load_contract(FORM)
PERSONAL = ("respondent_name", "phone_number", "latitude", "longitude", "enumerator_id")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def submit(answers: dict[str, str], key: str = "") -> Submission:
    found = DocumentLayout(CONTRACT).submission(1, {"household_id": "A", **answers}, request_key=key)
    assert isinstance(found, Submission)
    return found


def sealed(submission: Submission, keys: KeyRing = KEYS) -> tuple[Submission, dict[str, str]]:
    found = Sealer(keys, FORM, CONTRACT.names).seal([submission])
    token = found.tokens.get(submission.number)
    return found.submissions[0], open_token(keys, token) if token else {}


def cells(submission: Submission) -> dict[str, str]:
    (row,) = csv.reader(io.StringIO(submission.line, newline=""))
    return dict(zip(CONTRACT.names, row, strict=True))


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(PERSONAL, TEXTS)))
def test_personal_answers_leave_the_row_and_come_back(answers: dict[str, str]) -> None:
    row, personal = sealed(submit(answers))
    filled = {name: text for name, text in answers.items() if text.strip()}
    assert personal == filled
    stored = cells(row)
    assert stored["household_id"] == "A"
    for name, text in filled.items():
        assert stored[name] == stand_in_of(KEYS, {f.name: f.pii_kind for f in CONTRACT.fields}[name], text.strip())


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("phone", "0772 123456", "+256772123456"),
        ("phone", "00256-772-123-456", "772123456"),
        ("name", "Nakato  Sarah", "NAKATO SARAH"),
        ("coordinate", "-0.912345", "-0.913999"),
    ],
)
def test_the_same_person_has_the_same_stand_in(kind: PersonalKind, one: str, other: str) -> None:
    assert stand_in_of(KEYS, kind, one) == stand_in_of(KEYS, kind, other)


@pytest.mark.parametrize(
    ("kind", "answer", "begins"),
    [
        ("phone", "0772123456", "personal:"),
        ("phone", "none", "malformed:"),
        ("coordinate", "29.734567", "29.73"),
        ("coordinate", "north", "malformed:"),
        ("coordinate", "nan", "malformed:"),
        ("name", "Okello", "personal:"),
    ],
)
def test_stand_ins_tell_what_rules_need(kind: PersonalKind, answer: str, begins: str) -> None:
    assert stand_in_of(KEYS, kind, answer).startswith(begins)


def test_the_content_is_known_by_a_hash_that_nobody_can_guess() -> None:
    first, again = (sealed(submit({"phone_number": "0772123456"}))[0] for _ in range(2))
    assert first.content_hash == again.content_hash != submit({"phone_number": "0772123456"}).content_hash
    assert first.identity == first.content_hash
    assert first.key == f"content:{first.content_hash}"
    other = KeyRing(KEYS.encryption_keys, b"i" * 32)
    assert sealed(submit({"phone_number": "0772123456"}), other)[0].content_hash != first.content_hash
    assert sealed(submit({"phone_number": "0772123457"}))[0].content_hash != first.content_hash


def test_a_row_without_personal_answers_stays_as_it_is() -> None:
    plain = submit({"household_size": "5"}, key="client:a:1")
    assert sealed(plain) == (plain, {})


@pytest.mark.parametrize("name", ["field", "phone's own"])
def test_a_submission_named_by_a_telephone_number_bears_a_stand_in(name: str) -> None:
    layout = DocumentLayout(CONTRACT)
    own = {"key": "uuid-0772123456"} if name != "field" else {}
    answers = {"household_id": "A", "submission_id": "uuid-0772123456"} if name == "field" else {"household_id": "A"}
    row = layout.submission(1, answers, **own)
    assert isinstance(row, Submission)
    hidden, personal = sealed(row)
    assert hidden.key.startswith("personal:")
    assert hidden.identity != row.identity
    assert personal["submission_id"] == "uuid-0772123456"
    assert "0772123456" not in str(hidden)
    assert sealed(row)[0] == hidden
    correction, _ = sealed(row._replace(key="uuid-2", deprecates=row.key))
    assert correction.deprecates == hidden.key


def test_a_reason_repeats_no_answer() -> None:
    named = {"household_id": "Nakato Sarah", "HouseHoldID": "Nakato Ruth"}
    at_once = DocumentLayout(CONTRACT).submission(1, named)
    beside = {"household_id": "Nakato Sarah", "survey_data": {"household_id": "Nakato Ruth"}}
    nested = document_submission(DocumentLayout(CONTRACT), CONTRACT, 1, beside)
    for refused in (at_once, nested):
        assert isinstance(refused, Rejection)
        assert refused.code == "row.two_households"
        assert "Nakato" not in refused.message


def test_a_number_that_stands_for_a_header_leaves_the_row_too() -> None:
    found = Sealer(KEYS, FORM, CONTRACT.names).seal([submit({"0772123456": "called", "colour": "red"})])
    stored = orjson.loads(found.submissions[0].extras or "")
    (hidden,) = set(stored) - {"colour"}
    assert hidden.startswith("personal:")
    assert open_token(KEYS, found.tokens[1]) == {hidden: "0772123456: called"}
    assert "0772123456" not in str(found.findings)
    assert say_header("0772123456") == "(phone)"
    assert say_header("colour") == "'colour'"


def test_what_no_contract_marks_is_taken_out_and_counted() -> None:
    row = submit({"Next of kin": "Nakato Sarah", "remarks": "call 0772123456", "colour": "red"})
    found = Sealer(KEYS, FORM, CONTRACT.names).seal([row])
    assert open_token(KEYS, found.tokens[1]) == {"Next of kin": "Nakato Sarah", "remarks": "call 0772123456"}
    extras = orjson.loads(found.submissions[0].extras or "")
    assert (extras["colour"], extras["remarks"].startswith("personal:")) == ("red", True)
    assert found.findings == {1: [Finding("Next of kin", "name"), Finding("remarks", "phone")]}


@pytest.mark.parametrize(
    "answers",
    [
        {"enumerator_id": "Kakuru", "enumerator_id#2": "Markerd"},
        {"enumerator_id": "Kakuru", "grp/enumerator_id": "Markerd"},
        {"enumerator_id": "Kakuru", "grp/enumerator_id[2]": "Markerd"},
        {"enumerator_id": "Kakuru", "Enumerator_ID": "Markerd"},
        {"Enumerator_ID": "Kakuru", "enumerator_id": "Markerd"},
    ],
)
def test_a_marked_field_that_is_given_twice_is_sealed_twice(answers: dict[str, str]) -> None:
    found = Sealer(KEYS, FORM, CONTRACT.names).seal([submit(answers)])
    (header,) = orjson.loads(found.submissions[0].extras or "")
    assert orjson.loads(found.submissions[0].extras or "") == {header: stand_in_of(KEYS, "identifier", "Markerd")}
    assert sorted(open_token(KEYS, found.tokens[1]).values()) == ["Kakuru", "Markerd"]
    assert found.findings == {}
    assert say_unknown(FORM, [header], []) == [
        f"Column {header!r} is not in the contract; kept in extras, encrypted as the field that it names again."
    ]


def test_a_second_place_is_rounded_as_the_first() -> None:
    row, personal = sealed(submit({"latitude": "-0.912345", "home/latitude": "-1.234567"}))
    assert orjson.loads(row.extras or "") == {"home/latitude": "-1.23"}
    assert personal == {"latitude": "-0.912345", "home/latitude": "-1.234567"}


def test_a_field_and_an_extra_of_one_name_are_both_sealed() -> None:
    names = ["household_id", "remarks"]
    row = submit({})._replace(line="A,call 0772123456", extras='{"remarks":"or 0701234567"}')
    found = Sealer(KEYS, FORM, names).seal([row])
    assert "07" not in found.submissions[0].line + (found.submissions[0].extras or "")
    assert open_token(KEYS, found.tokens[1]) == {
        "remarks": "call 0772123456",
        "extras/remarks": "or 0701234567",
    }


def test_an_extra_with_somebody_in_its_json_is_sealed_whole() -> None:
    members = '[{"enumerator_id":"Markerd","age":3}]'
    row, personal = sealed(submit({"members": members, "rooms": '[{"name_of_crop":"maize"}]'}))
    assert personal == {"members": members}
    assert orjson.loads(row.extras or "")["rooms"] == '[{"name_of_crop":"maize"}]'


def test_findings_in_words_name_all_kinds_of_a_field() -> None:
    findings = describe_findings({Finding("remarks", "phone"): 3, Finding("remarks", "name"): 1})
    ending = "and the contract does not say so; it"
    assert say_findings(findings) == [
        f"'remarks' holds personal data (phone in 3 rows, name in 1 rows), {ending} was encrypted."
    ]
    assert say_findings(findings, "would be encrypted")[0].endswith(f"{ending} would be encrypted.")


def test_columns_that_are_not_known_say_whether_they_are_readable() -> None:
    headers = ["remarks", "colour", " ", "0772123456"]
    assert say_unknown(FORM, headers, [Finding("remarks", "phone")]) == [
        "Column 'colour' is not in the contract; kept in extras, readable.",
        "Column (phone) is not in the contract; kept in extras, where its name is encrypted.",
    ]
