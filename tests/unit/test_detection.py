"""What is found of personal data in fields that no contract marks, and what is left alone."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.detection_cases import FAMILIES, Family, cases
from ingest_api.detection import Detector, Kind, kind_of_header
from ingest_api.detection.suspicion import FEW
from ingest_api.records import csv_line
from tests.conftest import SAMPLE
from warehouse.contract import list_forms, load_contract

CASES = 60
BARE = "bare, in a text"
DETECTOR = Detector([], [])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
fragments = st.sampled_from(
    [
        "0772 123 456",
        "+256772123456",
        "256-772-123456",
        "0.7721234567",
        "CM92018100J4GKL",
        "a@b.ug",
        "-0.9123,29.7345",
        '"',
        "Mr Okello",
        "POINT (29.7 -0.9)",
        "0°54'12\" S",
        ",",
        " ",
        ".",
        "-",
        "(",
        ")",
        "/",
        "256",
        "00",
        "1234567",
        "\n",
        "{",
    ]
)


def kind_of(answer: str, header: str = "comments") -> Kind | None:
    return DETECTOR.find([], {header: answer}).get(header)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: f"{family.kind}: {family.name}")
def test_made_up_cases_are_told_for_what_they_are(family: Family) -> None:
    expected = None if family.name == BARE else family.kind
    wrong = [case for case in cases(family, CASES) if kind_of(case[1], case[0]) != expected]
    assert wrong == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("0772123456", "phone"),
        ("0772 12 34 56", "phone"),
        ("Tel.0772-123-456/0701 234 567", "phone"),
        ("256772123456.0", "phone"),
        ("\u202a+256\u00a0772\u2011123456\u202c", "phone"),
        ("\uff10\uff17\uff17\uff12123456", "phone"),
        ("+1 650 253 0000", "phone"),
        ("okello at OKELLO.J@Gmail.com", "email"),
        ("cf 8906 5101 KWQ2", "national_id"),
        ("-0.9123,29.7345", "coordinates"),
        ("29.7345 -0.9123", "coordinates"),
        ("-0.91234 29.73456 1320.0 4.8", "coordinates"),
        ("0\u00b054'44\" S, 29\u00b044'04\" E", "coordinates"),
        ("https://goo.gl/maps/abc", "coordinates"),
        ("6GCGRVQ8+2X", "coordinates"),
        ("we asked Mzee Byaruhanga", "name"),
        ("eiziina ryangye niinye Kemigisha", "name"),
        ("12/07/2026 10:30", None),
        ("07/12/2026 10:30", None),
        ("8.065999999999999", None),
        ("256.7721234567", None),
        ("0.7721234567", None),
        ("1130000", None),
        ("UGX 772,123,456", None),
        ("Kan-100-bwp-1974", None),
        ("HH-0412-345678", None),
        ("356938035643809", None),
        ("004999010640000", None),
        ("0 1 2 3 4 5 6 7 8 9", None),
        ("5kg@2000", None),
        ("73.938, 131.968", None),
        ("its name is not known", None),
        ("the village name is Kihihi", None),
        ("MR vaccine", None),
        ("Nyakagyeme", None),
    ],
)
def test_hard_answers(answer: str, kind: Kind | None) -> None:
    assert kind_of(answer) == kind


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Respondent Name", "name"),
        ("full_name", "name"),
        ("HouseholdHeadName", "name"),
        ("next_of_kin", "name"),
        ("erinnya", "name"),
        ("Eiziina", "name"),
        ("group member name", "name"),
        ("contact", "phone"),
        ("Contact person", "name"),
        ("contact_name", "name"),
        ("Mobile No", "phone"),
        ("Cell number", "phone"),
        ("essimu", "phone"),
        ("hh_info/esimu", "phone"),
        ("mobile_money_number", "phone"),
        ("NIN", "national_id"),
        ("National ID No.", "national_id"),
        ("GPS", "coordinates"),
        ("lat", "coordinates"),
        ("_geolocation_0", "coordinates"),
        ("E-mail", "email"),
        ("village_name", None),
        ("Crop Name", None),
        ("parish", None),
        ("Cell", None),
        ("number of phones", None),
        ("phones_owned", None),
        ("mobile_money_spent", None),
        ("gps_accuracy", None),
        ("latrine", None),
        ("plate", None),
        ("training", None),
    ],
)
def test_names_of_columns(header: str, kind: Kind | None) -> None:
    assert kind_of_header(header) == kind


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ("Respondent Name", "N/A"),
        ("phone", "none"),
        ("phone", "2"),
        ("lat", "5"),
        ("nin", "yes"),
        ("next_of_kin", "brother"),
    ],
)
def test_answer_that_is_not_what_its_column_is_called_is_left(header: str, answer: str) -> None:
    assert kind_of(answer, header) is None


@pytest.mark.parametrize("form", list_forms())
def test_no_field_of_a_contract_sounds_personal_unless_it_is_marked(form: str) -> None:
    unmarked = [field for field in load_contract(form).fields if not field.pii]
    headers = [header for field in unmarked for header in (field.name, *field.headers)]
    assert [header for header in headers if kind_of_header(header)] == []


def test_marked_fields_are_passed_over() -> None:
    detector = Detector(["phone_number", "comments"], ["phone_number"])
    assert detector.find(["0772123456", "0701234567"], {}) == {"comments": "phone"}


def test_field_that_sounds_personal_is_looked_at_in_every_row() -> None:
    detector = Detector(["contact_phone"], [])
    assert detector.suspicious(["772123456", "none"]) == [0, 1]
    assert detector.find(["772123456"], {}) == {"contact_phone": "phone"}


def test_ordinary_surveys_hold_nothing() -> None:
    header, *lines = SAMPLE.read_text("utf-8").splitlines()
    detector = Detector(header.split(","), [])
    suspicious = detector.suspicious(lines)
    assert len(suspicious) < len(lines) / 100
    assert [position for position in suspicious if detector.find(lines[position].split(","), {})] == []


@given(
    st.lists(st.lists(texts | fragments, max_size=6).map("".join), min_size=2, max_size=4),
    st.dictionaries(st.sampled_from(["remark", "Name", "lat", 'a "b"']), texts | fragments, max_size=2),
)
def test_whatever_is_found_is_suspicious(cells: list[str], extras: dict[str, str]) -> None:
    detector = Detector([f"field{position}" for position in range(len(cells))], [])
    line = csv_line(cells) + (orjson.dumps(extras).decode() if extras else "")
    if detector.find(cells, extras):
        assert detector.suspicious([line]) == [0]
        assert detector.suspicious([line] * FEW) == list(range(FEW))


def test_half_a_character_does_not_stop_the_search() -> None:
    assert DETECTOR.suspicious(["a,\ud800", "a,b@c.ug"] * FEW) == list(range(1, 2 * FEW, 2))
