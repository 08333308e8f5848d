"""OpenRosa as ODK Collect uses it, over real HTTP: forms, preflight, submissions, repeats, edits, encrypted forms."""

import hashlib
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx2
import pytest

from ingest_api.auth.clients import add_client
from orchestration.context import Warehouse
from tests import asking
from tests.openrosa_phone import HEADERS, LIST, MANIFEST, Phone, instance, message_of, new_id, serving_phone, survey
from warehouse.contract import list_forms, load_contract

pytestmark = pytest.mark.xdist_group("openrosa")


@pytest.fixture(scope="module")
def password(module_warehouse: Warehouse) -> str:
    """The secret of a client that has no token."""
    return add_client(module_warehouse.database, "phone-2", "device").secret


@pytest.fixture(scope="module")
def phone(module_warehouse: Warehouse, password: str) -> Iterator[Phone]:
    """A phone, and a running API that has known both clients from its start."""
    with serving_phone(module_warehouse) as phone:
        yield phone


@pytest.fixture
def server(phone: Phone) -> Iterator[httpx2.Client]:
    """A client of the same API that has no token."""
    with httpx2.Client(base_url=phone.client.base_url, timeout=60) as client:
        yield client


@pytest.fixture
def ask(module_warehouse: Warehouse) -> Any:
    """Ask the database for the rows of a statement."""
    return partial(asking.ask, module_warehouse)


def stored(ask: Any, key: str) -> list[tuple[Any, ...]]:
    return ask("select household_id, household_size, source from raw.household_survey where submission_key = %s", key)


# Forms


def test_list_names_every_form_with_all_that_collect_insists_on(phone: Phone) -> None:
    entries = phone.read_document("/formList").findall(f"{LIST}xform")
    assert [entry.findtext(f"{LIST}formID") for entry in entries] == [*list_forms()]
    for entry in entries:
        assert entry.findtext(f"{LIST}name")
        assert entry.findtext(f"{LIST}version")
        assert entry.findtext(f"{LIST}downloadUrl", "").startswith("http://")


def test_list_can_be_asked_for_one_form(phone: Phone) -> None:
    entries = phone.read_document("/formList?formID=household_survey").findall(f"{LIST}xform")
    assert [entry.findtext(f"{LIST}formID") for entry in entries] == ["household_survey"]


def test_list_of_an_unknown_form_is_empty(phone: Phone) -> None:
    assert not phone.read_document("/formList?formID=nothing").findall(f"{LIST}xform")


def test_every_listed_form_downloads_with_its_hash(phone: Phone) -> None:
    for entry in phone.read_document("/formList"):
        answer = phone.get(entry.findtext(f"{LIST}downloadUrl", ""))
        digest = hashlib.md5(answer.content, usedforsecurity=False).hexdigest()
        assert entry.findtext(f"{LIST}hash") == f"md5:{digest}"


def test_addresses_in_the_list_bear_the_token_the_phone_came_with(phone: Phone) -> None:
    (entry,) = phone.read_document("/formList?formID=household_survey")
    assert f"{phone.base}/forms/household_survey.xml" in entry.findtext(f"{LIST}downloadUrl", "")


def test_form_asks_for_every_field_but_the_identity_that_the_phone_makes(phone: Phone) -> None:
    form = fromstring(phone.get("/forms/household_survey.xml").content)  # noqa: S314 - our own server's answer
    (filled,) = (node for node in form.iter() if node.get("id") == "household_survey")
    asked = [node.tag.rpartition("}")[2] for node in filled]
    expected = [name for name in load_contract("household_survey").names if name != "submission_id"]
    assert asked == [*expected, "meta"]
    assert filled.get("version") == load_contract("household_survey").version


@pytest.mark.parametrize(
    ("field", "bind"),
    [
        ("household_size", {"type": "int", "required": "true()", "constraint": ". >= 1 and . <= 40"}),
        ("phones_owned", {"constraint": ". >= 0 and . <= 30 or . = -99"}),
        ("agricultural_land_acres", {"type": "decimal"}),
        ("survey_date", {"type": "date"}),
        ("loan_sources", {"constraint": "regex(., '[0-9]+( [0-9]+)*')"}),
    ],
)
def test_form_holds_the_contracts_rules(phone: Phone, field: str, bind: dict[str, str]) -> None:
    form = fromstring(phone.get("/forms/household_survey.xml").content)  # noqa: S314 - our own server's answer
    (found,) = (node for node in form.iter() if node.get("nodeset") == f"/household_survey/{field}")
    assert bind.items() <= found.attrib.items()


def test_form_offers_the_contracts_codes(phone: Phone) -> None:
    form = phone.get("/forms/household_survey.xml").text
    assert '<instance id="fertilizer_type"><root><item><name>1</name>' in form
    assert '<select1 ref="/household_survey/has_latrine">' in form


def test_manifest_is_empty(phone: Phone) -> None:
    root = phone.read_document("/forms/household_survey/manifest")
    assert root.tag == f"{MANIFEST}manifest"
    assert len(root) == 0


@pytest.mark.parametrize("path", ["/forms/nothing.xml", "/forms/nothing/manifest"])
def test_unknown_form_is_404_in_words(phone: Phone, path: str) -> None:
    answer = phone.get(path)
    assert answer.status_code == 404
    assert "no form 'nothing'" in message_of(answer)


# Preflight


def test_preflight_is_204_and_tells_the_size(phone: Phone) -> None:
    answer = phone.client.head(f"{phone.base}/submission", headers=HEADERS)
    assert answer.status_code == 204
    assert answer.headers["X-OpenRosa-Accept-Content-Length"] == "10000000"
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert "Date" in answer.headers
    assert "Location" not in answer.headers


def test_protocol_version_is_not_insisted_on(phone: Phone) -> None:
    assert phone.client.head(f"{phone.base}/submission").status_code == 204


# Who may send


def test_without_credentials_the_phone_is_asked_for_a_password(server: httpx2.Client) -> None:
    for method, path in (("GET", "/formList"), ("HEAD", "/submission"), ("POST", "/submission")):
        answer = server.request(method, f"/openrosa{path}")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert answer.headers["X-OpenRosa-Version"] == "1.0"


def test_bad_access_token_asks_for_a_password_too(server: httpx2.Client) -> None:
    answer = server.get("/openrosa/formList", headers={"Authorization": "Bearer none.of.ours"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_wrong_token_is_403_since_no_password_would_help(server: httpx2.Client) -> None:
    answer = server.get(f"/openrosa/key/{'x' * 43}/formList")
    assert answer.status_code == 403
    assert message_of(answer)


def test_password_works_where_nobody_can_listen(server: httpx2.Client, password: str) -> None:
    server.auth = ("phone-2", password)
    by_password = Phone(server, "/openrosa")
    assert by_password.read_document("/formList?formID=household_survey") is not None
    assert by_password.send(survey(new_id(), "HH-BASIC"))


def test_token_is_in_no_log(phone: Phone, module_warehouse: Warehouse) -> None:
    phone.get("/formList")
    phone.post("no survey at all")
    phone.get("/nothing/here")
    log = (module_warehouse.settings.home / "logs" / "api.log").read_text()
    assert "/openrosa/key/" in log
    assert phone.base.rpartition("/")[2] not in log


# Submissions


def test_survey_is_stored_under_its_instance_id(phone: Phone, ask: Any) -> None:
    key = new_id()
    answer = phone.post(survey(key, "HH-1"))
    assert answer.status_code == 201
    assert "is stored (ing_" in message_of(answer)
    assert stored(ask, key) == [("HH-1", "5", "openrosa")]


def test_ledger_knows_the_client_and_the_device(phone: Phone, ask: Any) -> None:
    key = new_id()
    phone.post(survey(key, "HH-LEDGER"))
    rows = ask(
        "select client, device, source, content_type, received_rows, stored_rows from raw.ingestions"
        " where ingestion_id = (select ingestion_id from raw.household_survey where submission_key = %s)",
        key,
    )
    assert rows == [("phone-1", "collect:1", "openrosa", "text/xml", 1, 1)]


def test_original_is_kept_to_the_letter(phone: Phone, ask: Any, module_warehouse: Warehouse) -> None:
    xml = survey(new_id(), "HH-\N{LATIN SMALL LETTER E WITH ACUTE}  x")
    phone.post(xml)
    assert xml in asking.ask_bodies(module_warehouse)


def test_same_survey_again_is_202(phone: Phone, ask: Any) -> None:
    key = new_id()
    answers = [phone.post(survey(key, "HH-AGAIN")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 202, 202]
    assert "stored already" in message_of(answers[2])
    assert len(stored(ask, key)) == 1


def test_other_spacing_is_the_same_survey(phone: Phone) -> None:
    key = new_id()
    phone.post(survey(key, "HH-SPACE"))
    assert phone.post(survey(key, "HH-SPACE").replace("><", ">\n  <")).status_code == 202


def test_same_identity_with_other_answers_is_kept_for_review(phone: Phone, ask: Any) -> None:
    key = new_id()
    phone.post(survey(key, "HH-CONFLICT", 5))
    answer = phone.post(survey(key, "HH-CONFLICT", 6))
    assert answer.status_code == 202
    assert "kept for review" in message_of(answer)
    assert stored(ask, key) == [("HH-CONFLICT", "5", "openrosa")]
    assert ask("select content ->> 'household_size' from review.conflicts where submission_key = %s", key) == [("6",)]


def test_twins_in_flight_all_succeed(phone: Phone, ask: Any) -> None:
    keys = [new_id() for _ in range(10)]
    posts = [survey(key, f"HH-TWIN-{key}", photos=["a.jpg"]) for key in keys for _ in range(5)]
    with ThreadPoolExecutor(16) as threads:
        statuses = list(threads.map(lambda xml: phone.post(xml, {"a.jpg": b"one picture"}).status_code, posts))
    assert set(statuses) == {201, 202}
    assert statuses.count(201) == len(keys)
    assert ask("select count(*) from raw.household_survey where submission_key = any(%s)", keys) == [(10,)]
    assert ask("select count(*) from raw.attachments where submission_key = any(%s)", keys) == [(10,)]


def test_without_an_instance_id_the_content_decides(phone: Phone, ask: Any) -> None:
    statuses = [phone.post(survey(None, household)).status_code for household in ("HH-NO-ID", "HH-NO-ID", "HH-NO-ID-2")]
    assert statuses == [201, 202, 201]
    assert ask("select count(*) from raw.household_survey where household_id like 'HH-NO-ID%%'") == [(2,)]


@pytest.mark.parametrize(
    "meta",
    [
        "<meta><instanceID>{}</instanceID></meta>",
        '<n:meta xmlns:n="http://openrosa.org/xforms"><n:instanceID>{}</n:instanceID></n:meta>',
        '<meta xmlns="http://openrosa.org/xforms"><instanceID> {} </instanceID></meta>',
    ],
)
def test_instance_id_is_found_under_any_prefix(phone: Phone, ask: Any, meta: str) -> None:
    key = new_id()
    xml = f'<data id="household_survey"><household_id>HH-PREFIX</household_id>{meta.format(key)}</data>'
    assert phone.post(xml).status_code == 201
    assert len(stored(ask, key)) == 1


def test_instance_id_of_249_characters_is_kept_whole(phone: Phone, ask: Any) -> None:
    key = new_id().ljust(249, "x")
    assert phone.post(survey(key, "HH-LONG")).status_code == 201
    assert len(stored(ask, key)) == 1


def test_instance_id_beyond_all_bounds_is_refused(phone: Phone) -> None:
    answer = phone.post(survey("x" * 300, "HH-LONGER"))
    assert answer.status_code == 422
    assert "255 are allowed" in message_of(answer)


def test_survey_without_a_household_is_kept_for_the_rules(phone: Phone, ask: Any) -> None:
    key = new_id()
    assert phone.post(instance(key, "<district>Kanungu</district>")).status_code == 201
    assert stored(ask, key) == [(None, None, "openrosa")]


def test_groups_and_other_names_find_their_fields(phone: Phone, ask: Any) -> None:
    key = new_id()
    answers = "<who><HouseHoldID>HH-GROUP</HouseHoldID></who><what><HouseholdSize>7</HouseholdSize></what>"
    phone.post(instance(key, answers))
    assert stored(ask, key) == [("HH-GROUP", "7", "openrosa")]


def test_what_the_contract_does_not_know_is_kept_by_its_path(phone: Phone, ask: Any) -> None:
    key = new_id()
    members = "<member><age>31</age></member><member><age/></member><member><age>4</age></member>"
    phone.post(instance(key, f"<household_id>HH-EXTRA</household_id><roof>tin</roof>{members}"))
    ((extras,),) = ask("select extras from raw.household_survey where submission_key = %s", key)
    assert extras == {"roof": "tin", "member/age": "31", "member[3]/age": "4"}


def test_field_that_stands_twice_loses_nothing(phone: Phone, ask: Any) -> None:
    key = new_id()
    phone.post(instance(key, "<g><household_id>HH-A</household_id></g><household_id>HH-B</household_id>"))
    ((household, extras),) = ask("select household_id, extras from raw.household_survey where submission_key = %s", key)
    assert (household, extras) == ("HH-A", {"/household_id": "HH-B"})


def test_second_form_is_taken_at_the_same_address(phone: Phone, ask: Any) -> None:
    key = new_id()
    assert phone.post(instance(key, "<district>Kanungu</district>", form="quarterly_report")).status_code == 201
    assert ask("select district from raw.quarterly_report where submission_key = %s", key) == [("Kanungu",)]


def test_older_version_of_a_form_is_taken(phone: Phone, ask: Any) -> None:
    key = new_id()
    assert phone.post(survey(key, "HH-OLD").replace('version="1"', 'version="2019 (old)"')).status_code == 201
    assert len(stored(ask, key)) == 1


def test_body_in_chunks_without_a_length_is_taken(phone: Phone, ask: Any) -> None:
    key = new_id()
    head = b'--b\r\nContent-Disposition: form-data; name="xml_submission_file"; filename="s.xml"\r\n'
    body = head + b"Content-Type: text/xml\r\n\r\n" + survey(key, "HH-CHUNKED").encode() + b"\r\n--b--\r\n"
    pieces = (body[start : start + 50] for start in range(0, len(body), 50))
    headers = {**HEADERS, "Content-Type": "multipart/form-data; boundary=b"}
    assert phone.client.post(f"{phone.base}/submission", content=pieces, headers=headers).status_code == 201
    assert len(stored(ask, key)) == 1


def test_unicode_answers_arrive_as_they_were_sent(phone: Phone, ask: Any) -> None:
    key, household = new_id(), unicodedata.normalize("NFD", "HH-\N{LATIN SMALL LETTER E WITH ACUTE}-\N{VIDEO CAMERA}")
    phone.post(survey(key, household))
    assert stored(ask, key)[0][0] == household


# Edits


def deprecates(ask: Any, key: str) -> Any:
    ((found,),) = ask("select deprecates from raw.household_survey where submission_key = %s", key)
    return found


def test_edit_names_the_survey_that_it_corrects(phone: Phone, ask: Any) -> None:
    first, second = new_id(), new_id()
    phone.post(survey(first, "HH-EDIT", 5))
    answer = phone.post(
        survey(second, "HH-EDIT", 6).replace("</orx:meta>", f"<orx:deprecatedID>{first}</orx:deprecatedID></orx:meta>")
    )
    assert answer.status_code == 201
    assert "not arrived" not in message_of(answer)
    assert (deprecates(ask, first), deprecates(ask, second)) == (None, first)


def test_edit_of_a_survey_that_is_not_here_is_kept_and_told(phone: Phone, ask: Any) -> None:
    key, unknown = new_id(), new_id()
    answer = phone.post(instance(key, "<household_id>HH-EDIT-2</household_id>", deprecates=unknown))
    assert answer.status_code == 201
    assert "corrects a survey that has not arrived" in message_of(answer)
    assert deprecates(ask, key) == unknown


def test_edit_again_is_202(phone: Phone) -> None:
    xml = instance(new_id(), "<household_id>HH-EDIT-3</household_id>", deprecates=new_id())
    assert [phone.post(xml).status_code for _ in range(2)] == [201, 202]


def test_survey_does_not_correct_itself(phone: Phone, ask: Any) -> None:
    key = new_id()
    phone.post(instance(key, "<household_id>HH-EDIT-4</household_id>", deprecates=key))
    assert deprecates(ask, key) is None


# Encrypted forms

ENVELOPE = """<data id="household_survey" version="1" encrypted="yes" xmlns="http://www.opendatakit.org/xforms/encrypted">
<base64EncryptedKey>a2V5</base64EncryptedKey>
<orx:meta xmlns:orx="http://openrosa.org/xforms"><orx:instanceID>{key}</orx:instanceID></orx:meta>
<media><file>photo.jpg.enc</file></media>
<encryptedXmlFile>submission.xml.enc</encryptedXmlFile>
<base64EncryptedElementSignature>c2ln</base64EncryptedElementSignature></data>"""


def test_encrypted_form_is_kept_as_it_came(phone: Phone, ask: Any, module_warehouse: Warehouse) -> None:
    key = new_id()
    xml = ENVELOPE.format(key=key)
    (told,) = phone.send(xml, {"photo.jpg.enc": b"\x00\x01", "submission.xml.enc": b"\x02\x03"})
    assert "to come" not in told
    assert xml in asking.ask_bodies(module_warehouse)
    ((extras,),) = ask("select extras from raw.household_survey where submission_key = %s", key)
    assert (extras["encrypted"], extras["base64EncryptedKey"]) == ("yes", "a2V5")
    assert ask("select bool_and(is_expected), count(*) from raw.attachments where submission_key = %s", key) == [
        (True, 2)
    ]


def test_encrypted_form_without_its_files_says_what_is_missing(phone: Phone) -> None:
    (told,) = phone.send(ENVELOPE.format(key=new_id()))
    assert "Files still to come: 2 (photo.jpg.enc, submission.xml.enc)." in told
