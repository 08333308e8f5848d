"""What a phone never sends: each is refused in words, quickly, and nothing of it is kept."""

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from orchestration.context import Warehouse
from tests.openrosa_phone import HEADERS, Phone, message_of, new_id, serving_phone, survey

pytestmark = pytest.mark.xdist_group("openrosa")

CASES = Path(__file__).parents[1] / "cases" / "openrosa"
REFUSALS = {
    "billion_laughs": (422, "document type or entities"),
    "external_entity": (422, "document type or entities"),
    "external_document_type": (422, "document type or entities"),
    "empty": (422, "no XML"),
    "csv_instead": (422, "no XML"),
    "cut_off": (422, "no XML"),
    "no_form": (422, "form is not known"),
    "blank_form": (422, "form is not known"),
    "path_as_form": (404, "no form"),
    "unknown_form": (404, "no form"),
    "not_utf8": (422, "not UTF-8"),
    "nul_reference": (422, "no XML"),
    "nul_byte": (422, "no XML"),
    "lone_surrogate": (422, "no XML"),
    "undefined_entity": (422, "no XML"),
    "two_roots": (422, "no XML"),
    "encrypted_without_instance_id": (422, "no instanceID"),
}


@pytest.fixture(scope="module")
def phone(module_warehouse: Warehouse) -> Iterator[Phone]:
    """A phone, and a running API."""
    with serving_phone(module_warehouse) as phone:
        yield phone


@pytest.fixture
def nothing_stored(module_warehouse: Warehouse) -> Iterator[None]:
    """Check that the ledger has no entry more than before."""
    with module_warehouse.database.transaction() as connection:
        before = connection.execute("select count(*) from raw.ingestions").fetchone()
    yield
    with module_warehouse.database.transaction() as connection:
        assert connection.execute("select count(*) from raw.ingestions").fetchone() == before


def test_every_named_case_has_its_refusal() -> None:
    assert {path.stem for path in CASES.iterdir()} == set(REFUSALS)


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("name", REFUSALS)
def test_bad_xml_is_refused_in_words(phone: Phone, name: str) -> None:
    status, told = REFUSALS[name]
    answer = phone.post((CASES / f"{name}.xml").read_bytes(), {"a.jpg": b"a"})
    assert answer.status_code == status
    assert told in message_of(answer)


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(
    "xml",
    [
        '<a id="household_survey">' + "<b>" * 60 + "</b>" * 60 + "</a>",
        '<a id="household_survey">' + "<b>1</b>" * 10_001 + "</a>",
        '<a id="household_survey">' + "".join(f"<b{number}>1</b{number}>" for number in range(2_000)) + "</a>",
        f'<a id="household_survey" instanceID="{"i" * 300}"><village>Kal</village></a>',
        f'<a id="household_survey"><meta><deprecatedID>{"i" * 300}</deprecatedID></meta></a>',
        f'<a id="household_survey"><village>{"v" * 300}</village></a>',
        f'<a id="household_survey"><note>{"v" * 70_000}</note></a>',
    ],
    ids=["too_deep", "too_many_elements", "too_many_fields", "long_id", "long_deprecated_id", "long_name", "long_text"],
)
def test_xml_beyond_the_limits_is_refused(phone: Phone, xml: str) -> None:
    answer = phone.post(xml)
    assert answer.status_code == 422
    assert "allowed" in message_of(answer) or "more than" in message_of(answer)


@pytest.mark.usefixtures("nothing_stored")
def test_xml_larger_than_a_survey_is_413(phone: Phone) -> None:
    answer = phone.post(f'<a id="household_survey">{"x" * 1_100_000}</a>')
    assert answer.status_code == 413
    assert "larger than 1,048,576 bytes" in message_of(answer)


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"<a/>", "text/xml", 415),
        (b"{}", "application/json", 415),
        (b"", "multipart/form-data; boundary=b", 422),
        (b"nonsense", "multipart/form-data; boundary=b", 400),
        (b"--b--\r\n", "multipart/form-data", 400),
        (
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            422,
        ),
    ],
    ids=["plain_xml", "json", "nothing", "no_multipart", "no_boundary", "no_xml_part"],
)
def test_body_that_is_no_submission_is_refused(phone: Phone, content: bytes, content_type: str, status: int) -> None:
    headers = {**HEADERS, "Content-Type": content_type}
    answer = phone.client.post(f"{phone.base}/submission", content=content, headers=headers)
    assert answer.status_code == status
    assert message_of(answer)


@pytest.mark.usefixtures("nothing_stored")
def test_two_xml_parts_are_refused(phone: Phone) -> None:
    parts = [("xml_submission_file", ("s.xml", survey(new_id(), f"H-{n}").encode(), "text/xml")) for n in range(2)]
    answer = phone.client.post(f"{phone.base}/submission", files=parts)
    assert answer.status_code == 422
    assert "this one has 2" in message_of(answer)


@pytest.mark.usefixtures("nothing_stored")
def test_hundred_thousand_parts_are_refused(phone: Phone) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n1\r\n'
    headers = {**HEADERS, "Content-Type": "multipart/form-data; boundary=b"}
    answer = phone.client.post(f"{phone.base}/submission", content=part * 100_000 + b"--b--\r\n", headers=headers)
    assert answer.status_code == 400
    assert "Too many files" in message_of(answer)


@pytest.mark.usefixtures("nothing_stored")
def test_body_beyond_the_limit_is_413_before_it_is_read(phone: Phone) -> None:
    connection = HTTPConnection(phone.client.base_url.host, phone.client.base_url.port, timeout=60)
    connection.putrequest("POST", f"{phone.base}/submission")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(3 * 1024**3))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_markup_in_an_answer_is_an_answer(phone: Phone, module_warehouse: Warehouse) -> None:
    key = new_id()
    phone.send(survey(key, "&lt;script&gt;&amp;'\"; drop table raw.household_survey --"))
    with module_warehouse.database.transaction() as connection:
        row = connection.execute("select household_id from raw.household_survey where submission_key = %s", [key])
        assert row.fetchall() == [("<script>&'\"; drop table raw.household_survey --",)]


def test_control_characters_in_a_message_leave_it_readable(phone: Phone) -> None:
    name = "a\x01b.jpg"
    xml = survey(new_id(), "H-CONTROL", photos=["gone.jpg"])
    parts: list[Any] = [("xml_submission_file", ("s.xml", xml.encode(), "text/xml")), ("f", (name, b"1", "image/jpeg"))]
    answer = phone.client.post(f"{phone.base}/submission", files=parts)
    assert answer.status_code == 201
    assert "gone.jpg" in message_of(answer)
