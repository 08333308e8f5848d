"""What is found of personal data in fields that no contract marks, and what is left alone."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.detection_cases import FAMILIES, Family, cases
from ingest_api.detection import Detector, Kind, bare_names, kinds_of_header, kinds_of_text
from ingest_api.detection.suspicion import FEW
from ingest_api.records import csv_line
from tests.conftest import SAMPLE
from warehouse.contract import list_forms, load_contract

CASES = 60
# What is said of cases in which it falls short.
SHORT: dict[str, tuple[Kind, ...]] = {
    "bare, in a text": (),
    "bare, in a column that is called otherwise": (),
    "phrases in columns that are called as persons are": ("name",),
}
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
        "[",
        '{"lat": 1.25}',
        '["0772","333","444"]',
        "lat=-1.091234",
        "-1,091234; 30,123456",
        "01 05 28 S 30 07 24 E",
        "UBA 123A",
        "\x11",
    ]
)


def kinds_of(answer: str, header: str = "comments") -> tuple[Kind, ...]:
    return DETECTOR.find([], {header: answer}).extras.get(header, ())


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: f"{family.kind}: {family.name}")
def test_made_up_cases_are_told_for_what_they_are(family: Family) -> None:
    expected = SHORT.get(family.name, (family.kind,) if family.kind else ())
    wrong = [case for case in cases(family, CASES) if kinds_of(case[1], case[0]) != expected]
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
        ("-1.091234:30.123456", "coordinates"),
        ("-1.091234\n30.123456", "coordinates"),
        ("-1,091234; 30,123456", "coordinates"),
        ("?lat=-1.091234&lon=30.123456", "coordinates"),
        ("01 05 28 S 30 07 24 E", "coordinates"),
        ("S 01 05 28.5 E 30 07 24", "coordinates"),
        ("0 7 7 2 3 3 3 4 4 4", "phone"),
        ("came on UBA 123A", "registration"),
        ("we asked Mzee Byaruhanga", "name"),
        ("1,200; 30,400", None),
        ("1 200 300 S", None),
        ("late 2 times", None),
        ("UGX 500K", None),
        ("0 7 2 3 1 4 5 6 8 9", None),
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
    assert kinds_of(answer) == ((kind,) if kind else ())


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
        ("WhatsApp", "phone"),
        ("ph1", "phone"),
        ("momo", "phone"),
        ("airtel no.", "phone"),
        ("MTN", "phone"),
        ("y_coord", "coordinates"),
        ("\uff4e\uff41\uff4d\uff45", "name"),
        ("N\u0430m\u0435", "name"),
        ("Pr\u00e9nom", "name"),
        ("nom", "name"),
        ("respname", "name"),
        ("household_name", "name"),
        ("Amazina", "name"),
        ("spouse", "name"),
        ("father's", "name"),
        ("HH head", "name"),
        ("hh_head", "name"),
        ("Beneficiary", "name"),
        ("village_chairperson", "name"),
        ("LC1 chairman", "name"),
        ("VHT", "name"),
        ("village chief", "name"),
        ("Caretaker", "name"),
        ("Surveyor", "name"),
        ("interviewed by", "name"),
        ("person interviewed", "name"),
        ("signed_by", "name"),
        ("respondent_id", "name"),
        ("DOB", "birth_date"),
        ("date of birth", "birth_date"),
        ("Bank account", "account"),
        ("account number", "account"),
        ("TIN", "registration"),
        ("motorcycle plate", "registration"),
        ("number plate", "registration"),
        ("LandTitle", "registration"),
        ("mother_alive", None),
        ("head_sex", None),
        ("age of spouse", None),
        ("vht_visited", None),
        ("tin_roof", None),
        ("account balance", None),
        ("momo_amount", None),
        ("calf_date_of_birth", None),
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
    assert kinds_of_header(header) == ((kind,) if kind else ())


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ("Respondent Name", "N/A"),
        ("phone", "none"),
        ("phone", "2"),
        ("lat", "5"),
        ("nin", "yes"),
        ("next_of_kin", "brother"),
        ("mother", "yes"),
        ("mother", "died 3 years ago"),
        ("spouse", "1"),
        ("head", "male"),
        ("head", "female-headed"),
        ("VHT", "ENUM07"),
        ("respondent_id", "KAN-100-ABC-1974"),
        ("respondent_id", "R 12"),
        ("ph", "6.512345"),
        ("momo", "1200000"),
        ("mtn", "15,000,000"),
        ("DOB", "1985"),
        ("TIN", "none"),
        ("number plate", "yes"),
        ("gps", "3 satellites"),
    ],
)
def test_answer_that_is_not_what_its_column_is_called_is_left(header: str, answer: str) -> None:
    assert kinds_of(answer, header) == ()


@pytest.mark.parametrize(
    ("header", "answer", "kind"),
    [
        ("full_name", "Markerd " * 20, "name"),
        ("Contact person", "Markerd", "name"),
        ("Contact person", "772123456", "phone"),
        ("next of kin contact", "772123456", "phone"),
        ("mother", "late Markerd", "name"),
        ("gps_latitude", "S1.0912345", "coordinates"),
        ("gps_lat", "-1091234", "coordinates"),
        ("DOB", "12 March 1985", "birth_date"),
        ("phone", '["0772","333","444"]', "phone"),
        ("members", '[{"name":"Markerd Child"}]', "name"),
        ("members", '{"0772333444":{"age":3}}', "phone"),
        ("place", '{"lat":-1.09,"lng":30.12}', "coordinates"),
        ("answers", '{"form":"{\\"spouse\\":\\"Markerd\\"}"}', "name"),
    ],
)
def test_answer_is_told_by_its_own_name(header: str, answer: str, kind: Kind) -> None:
    assert kinds_of(answer, header) == (kind,)
    line = csv_line([answer]) if header == "members" else f",{orjson.dumps({header: answer}).decode()}"
    assert DETECTOR.suspicious([line]) == [0]


@pytest.mark.parametrize("answer", ['[{"age":3,"sex":"male"}]', "[1, 2, 3]", "{not JSON", "[" * 100_000])
def test_json_without_a_person_is_left(answer: str) -> None:
    assert kinds_of(answer) == ()


def test_an_answer_may_be_of_several_kinds() -> None:
    assert kinds_of("Spoke to Mr Okello John, call 0772 123 456") == ("phone", "name")


def test_a_header_stands_for_the_end_of_its_path() -> None:
    assert bare_names("grp/enumerator_id[2]") == ("grp/enumerator_id", "enumerator_id")
    assert bare_names("enumerator_id#2") == bare_names("enumerator_id.1") == ("enumerator_id",)


@pytest.mark.parametrize("form", list_forms())
def test_no_field_of_a_contract_sounds_personal_unless_it_is_marked(form: str) -> None:
    unmarked = [field for field in load_contract(form).fields if not field.pii]
    headers = [header for field in unmarked for header in (field.name, *field.headers)]
    assert [header for header in headers if kinds_of_header(header)] == []


def test_marked_fields_are_passed_over() -> None:
    detector = Detector(["phone_number", "comments"], ["phone_number"])
    assert detector.find(["0772123456", "0701234567"], {}).fields == {"comments": ("phone",)}


def test_field_that_sounds_personal_is_looked_at_in_every_row() -> None:
    detector = Detector(["contact_phone"], [])
    assert detector.suspicious(["772123456", "none"]) == [0, 1]
    assert detector.find(["772123456"], {}).fields == {"contact_phone": ("phone",)}


def test_ordinary_surveys_hold_nothing() -> None:
    header, *lines = SAMPLE.read_text("utf-8").splitlines()
    detector = Detector(header.split(","), [])
    suspicious = detector.suspicious(lines)
    assert len(suspicious) < len(lines) / 100
    assert [position for position in suspicious if any(detector.find(lines[position].split(","), {}))] == []


@given(
    st.lists(st.lists(texts | fragments, max_size=6).map("".join), min_size=2, max_size=4),
    st.dictionaries(st.sampled_from(["remark", "Name", "lat", 'a "b"']), texts | fragments, max_size=2),
)
def test_whatever_is_found_is_suspicious(cells: list[str], extras: dict[str, str]) -> None:
    detector = Detector([f"field{position}" for position in range(len(cells))], [])
    line = csv_line(cells) + (orjson.dumps(extras).decode() if extras else "")
    if any(detector.find(cells, extras)):
        assert detector.suspicious([line]) == [0]
        assert detector.suspicious([line] * FEW) == list(range(FEW))


def test_half_a_character_does_not_stop_the_search() -> None:
    assert DETECTOR.suspicious(["a,\ud800", "a,b@c.ug"] * FEW) == list(range(1, 2 * FEW, 2))


@pytest.mark.parametrize(
    "text",
    [
        "uuid:db8e1af0cb3aca1ae2d0018624204529",
        "raw/household_survey/2026-11-30/b81d00e65f747a4161b56ab92f400b81862c2bbefe84f220fcefab0399081798.csv",
    ],
)
def test_what_machines_make_is_no_number_of_a_person(text: str) -> None:
    assert kinds_of_text(text) == ()
    assert kinds_of_text(f"{text} 0772333444") == ("phone",)
