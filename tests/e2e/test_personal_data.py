"""People planted at every door: afterwards nothing of them stands anywhere in clear, and who may reads all of it back.

The suite plants a few and builds. `make markers` plants 2,000 and lets the whole pipeline run.
"""

import io
import os
import struct
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ingest_api.auth.clients import add_client
from ingest_api.inbox import collect_inbox
from ingest_api.loading import bundle_bodies, land_next
from ingest_api.openrosa.attachments import move_attachments
from orchestration.context import Warehouse
from tests import markers, processes
from tests.markers import Person
from tests.openrosa_phone import Phone, instance, new_id, serving_phone
from tests.served import sign_in
from warehouse.contract import list_forms, load_contract
from warehouse.embedded import EmbeddedServer

pytestmark = [pytest.mark.xdist_group("personal_data"), pytest.mark.timeout(1800)]
MANY = int(os.environ.get("KYALO_MARKERS", "110"))
IS_LONG = MANY >= 2_000
FORM = "household_survey"
FILES = "/api/v1/upload/file"
DOORS = ("csv", "xlsx", "json", "jsonl", "parquet", "zip", "batch", "single", "openrosa", "inbox", "unmarked")
PHOTO = b"\xff\xd8 photo of "


@dataclass(frozen=True)
class Planted:
    """A warehouse after people came in at every door, and a client that may see them."""

    warehouse: Warehouse
    people: dict[str, list[Person]]
    custodian: httpx2.Client
    temporary: Path

    @property
    def everybody(self) -> list[Person]:
        """All of them."""
        return [person for people in self.people.values() for person in people]

    @property
    def traces(self) -> set[bytes]:
        """What must stand nowhere."""
        return {trace for person in self.everybody for trace in person.traces}


@pytest.fixture(scope="module")
def planted(module_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """People at every door, landed, built, and in the long form scored and published as well."""
    warehouse = module_warehouse
    everybody = markers.make_people(tmp_path_factory.mktemp("made_up"), MANY)
    people = {door: everybody[place :: len(DOORS)] for place, door in enumerate(DOORS)}
    temporary = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", str(temporary))
        secret = add_client(warehouse.database, "custodian", "admin").secret
        with serving_phone(warehouse) as phone, httpx2.Client(base_url=phone.client.base_url, timeout=600) as client:
            client.headers |= sign_in(client, "custodian", secret)
            send_all(warehouse, client, phone, people)
            settle(warehouse)
            ended = processes.run(warehouse, "run" if IS_LONG else "build")
            assert ended.returncode == 0, ended.stdout + ended.stderr
            yield Planted(warehouse, people, client, temporary)


def send_all(warehouse: Warehouse, client: httpx2.Client, phone: Phone, people: dict[str, list[Person]]) -> None:
    """Everybody through their door, and what is refused or goes wrong there."""
    send_files(client, people)
    batch = [survey_of(person) for person in people["batch"]]
    client.post("/api/v1/upload/surveys", json=batch).raise_for_status()
    client.post("/api/v1/upload/surveys", json=batch).raise_for_status()
    for person in people["single"]:
        client.post("/api/v1/upload/survey-data", json=survey_of(person)).raise_for_status()
    for person in people["openrosa"]:
        answers = "".join(f"<{name}>{answer}</{name}>" for name, answer in named(person).items())
        xml = instance(new_id(), f"<photo>a.jpg</photo>{answers}")
        phone.send(xml, {"a.jpg": PHOTO + person.name.encode()})
    content = io.BytesIO(markers.as_csv(people["inbox"]))
    warehouse.store.put("inbox/partner.csv", content, "text/csv")
    send_what_goes_wrong(client, people["single"][0])


def send_files(client: httpx2.Client, people: dict[str, list[Person]]) -> None:
    """A file of each kind, one larger than memory holds of an upload, and one whose contract marks nothing."""
    header = ",".join([*people["unmarked"][0].answers, "Next of kin", "Remarks"])
    lines = [
        ",".join(
            [*person.answers.values(), person.name, f'"Call {person.phone}, at {person.latitude},{person.longitude}"']
        )
        for person in people["unmarked"]
    ]
    files = {
        "a.csv": markers.as_csv(people["csv"]) + b"\n" * 100_000,
        "a.xlsx": markers.as_workbook(people["xlsx"]),
        "a.json": markers.as_json(people["json"]),
        "a.jsonl": markers.as_json(people["jsonl"], lines=True),
        "a.parquet": markers.as_parquet(people["parquet"]),
        "a.zip": markers.as_zip(people["zip"]),
        "unmarked.csv": "\n".join([header, *lines]).encode(),
    }
    for name, content in files.items():
        client.post(FILES, files={"file": (name, content)}).raise_for_status()


def send_what_goes_wrong(client: httpx2.Client, person: Person) -> None:
    """The same people in rows that are rejected, in conflict, refused or never read."""
    personal = ",".join(person.personal.values())
    header = "household_id,submission_id,household_size," + ",".join(person.personal)
    known = f"{header}\nMAR-999-KER-1,twice,5,{personal}\n"
    for content in (
        f"{header}\n,,5,{personal}\n",  # no household
        known,
        known.replace("twice,5", "twice,6"),  # a conflict
        f'{header}\nMAR-999-KER-2,,5,"{personal}\n',  # a quote that nothing closes
        f"{header}\nMAR-999-KER-3,,5,{personal},{personal}\n",  # more cells than the header has
        f"{person.household_id},{personal}\n{person.household_id},{personal}\n",  # no header
    ):
        client.post(FILES, files={"file": ("wrong.csv", content.encode())})
    client.post("/api/v1/upload/survey-data", content=f'{{"household_id": "{person.name}", '.encode())
    client.post("/api/v1/upload/survey-data", json={"household_id": "A", "survey_data": {"household_id": person.name}})
    client.post("/api/v1/upload/surveys", json=[{"survey_data": person.personal}])
    client.post("/api/v1/predict", json={"households": [survey_of(person)]})
    client.get("/api/v1/forms", params={"name": person.name})


def named(person: Person) -> dict[str, str]:
    """All answers under the names that a phone's form has for them."""
    names = load_contract(FORM).resolve(person.row)
    return {name: answer for name, answer in zip(names, person.row.values(), strict=True) if name and answer}


def survey_of(person: Person) -> dict[str, Any]:
    """A person's survey as a device sends it."""
    return {"household_id": person.household_id, "survey_data": person.row}


def settle(warehouse: Warehouse) -> None:
    """Do what the worker does with what has come in."""
    collect_inbox(warehouse.database, warehouse.store, quiet=timedelta(0))
    while land_next(warehouse.database, warehouse.store):
        pass
    move_attachments(warehouse.database, warehouse.store)
    for form in list_forms():
        while bundle_bodies(warehouse.database, warehouse.store, form):
            pass


def test_nothing_stands_in_the_data_folder(planted: Planted) -> None:
    assert markers.traces_under(planted.warehouse.settings.home, planted.traces) == {}
    assert markers.traces_under(planted.warehouse.settings.store_folder, planted.traces) == {}


def test_nothing_stands_in_temporary_files(planted: Planted) -> None:
    assert markers.traces_under(planted.temporary, planted.traces) == {}


def test_nothing_stands_in_the_database(planted: Planted) -> None:
    dumped = processes.run(planted.warehouse, "exec", "pg_dump")
    assert "personal:" in dumped.stdout
    assert markers.traces_in(dumped.stdout.encode(), planted.traces) == set()


@pytest.mark.skipif(not IS_LONG, reason="the server's files are those of all tests: make markers looks through them")
def test_nothing_stands_in_the_files_of_the_server(planted: Planted, test_server: EmbeddedServer) -> None:
    assert markers.traces_under(test_server.home, planted.traces) == {}


def test_the_search_finds_what_is_there(planted: Planted, tmp_path: Path) -> None:
    person = planted.everybody[-1]
    numbers = struct.pack("<dd", float(person.latitude), float(person.longitude))
    (tmp_path / "left").write_bytes(b"x" * (markers.CHUNK_BYTES - 3) + markers.as_csv([person]) + numbers)
    assert markers.traces_under(tmp_path, planted.traces) == {"left": {*person.traces}}


@pytest.mark.parametrize("door", [door for door in DOORS if door != "unmarked"])
def test_who_may_reads_every_one_back(planted: Planted, door: str) -> None:
    for person in planted.people[door]:
        assert revealed(planted, person)[0] == person.personal


def test_what_no_contract_marks_is_read_back_as_well(planted: Planted) -> None:
    for person in planted.people["unmarked"]:
        (answers,) = revealed(planted, person)
        assert answers["Next of kin"] == person.name
        assert all(text in answers["Remarks"] for text in (person.phone, person.latitude, person.longitude))


def test_photos_are_read_back(planted: Planted) -> None:
    store = planted.warehouse.store
    photos = [found.key for found in store.list(f"raw/{FORM}/attachments/")]
    assert len(photos) == len(planted.people["openrosa"])
    with store.get(photos[0]) as photo:
        assert photo.read().startswith(PHOTO)


def test_the_receipt_counts_what_no_contract_marks(planted: Planted) -> None:
    with planted.warehouse.database.transaction() as connection:
        statement = "select personal_fields from raw.ingestions where filename = 'unmarked.csv'"
        ((found,),) = connection.execute(statement).fetchall()
    number = len(planted.people["unmarked"])
    assert {each["field"]: each["rows"] for each in found} == {"Next of kin": number, "Remarks": number}


def revealed(planted: Planted, person: Person) -> Sequence[dict[str, str]]:
    """Everything personal that is known of a household."""
    answer = planted.custodian.get(f"/api/v1/households/{person.household_id}/personal").raise_for_status()
    return [submission["answers"] for submission in answer.json()["submissions"]]
