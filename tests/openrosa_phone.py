"""A phone that behaves as ODK Collect does: what it asks, how it splits, what it takes for a success."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from xml.etree.ElementTree import Element, fromstring

import httpx2

from ingest_api.auth.clients import add_client
from orchestration.api_process import serving_api
from orchestration.context import Warehouse

LIST = "{http://openrosa.org/xforms/xformsList}"
MANIFEST = "{http://openrosa.org/xforms/xformsManifest}"
RESPONSE = "{http://openrosa.org/http/response}"
DEFAULT_BYTES = 10_000_000
MOST_FILES = 101
HEADERS = {"X-OpenRosa-Version": "1.0", "User-Agent": "org.odk.collect.android/v2026.2.1"}


class SendFailedError(Exception):
    """The phone keeps the form and shows this text."""


@dataclass(frozen=True)
class Phone:
    """One phone.

    Attributes:
        client: its way to the server.
        base: the server's address as it is set in the app, a path here.
    """

    client: httpx2.Client
    base: str

    def get(self, url: str) -> httpx2.Response:
        """Download something; `url` is under the base, or absolute."""
        return self.client.get(url if "://" in url else self.base + url, headers=HEADERS)

    def read_document(self, url: str) -> Element:
        """Download a document and check what Collect checks."""
        answer = self.get(url)
        assert answer.status_code == 200, answer.text
        assert answer.headers["X-OpenRosa-Version"] == "1.0"
        assert "text/xml" in answer.headers["Content-Type"]
        return fromstring(answer.content)  # noqa: S314 - our own server's answer

    def greet(self) -> int:
        """Ask how much one request may hold."""
        answer = self.client.head(f"{self.base}/submission?deviceID=collect:1", headers=HEADERS)
        if answer.status_code == 401:
            raise SendFailedError("password")
        if answer.is_success and answer.status_code != 204:
            raise SendFailedError("captive portal")
        return int(answer.headers.get("X-OpenRosa-Accept-Content-Length", DEFAULT_BYTES))

    def post(
        self, xml: str | bytes, files: Mapping[str, bytes] | None = None, *, is_incomplete: bool = False
    ) -> httpx2.Response:
        """One request: the XML first, then files, each part named as its file."""
        parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
            ("xml_submission_file", ("survey.xml", xml if isinstance(xml, bytes) else xml.encode(), "text/xml"))
        ]
        parts += [(name, (name, content, "image/jpeg")) for name, content in (files or {}).items()]
        if is_incomplete:
            parts.append(("*isIncomplete*", (None, b"yes", "text/plain")))
        url = f"{self.base}/submission?deviceID=collect:1"
        return self.client.post(url, files=parts, headers=HEADERS)

    def send(self, xml: str, files: Mapping[str, bytes] | None = None) -> list[str]:
        """Send one filled form, split as Collect splits it; the messages of its requests."""
        chunks = list(split(xml, files or {}, self.greet()))
        messages = []
        for number, chunk in enumerate(chunks, 1):
            answer = self.post(xml, chunk, is_incomplete=number < len(chunks))
            messages.append(message_of(answer))
            if answer.status_code not in (201, 202):
                raise SendFailedError(messages[-1])
        return messages


@contextmanager
def serving_phone(warehouse: Warehouse) -> Iterator[Phone]:
    """A running API, and a phone that was set up with a token in its address."""
    token = add_client(warehouse.database, "phone-1", "device", with_url_token=True).url_token
    with serving_api(warehouse) as server, httpx2.Client(base_url=server.base_url, timeout=60) as client:
        yield Phone(client, f"/openrosa/key/{token}")


def split(xml: str, files: Mapping[str, bytes], most_bytes: int) -> Iterator[dict[str, bytes]]:
    """The files of each request."""
    chunk: dict[str, bytes] = {}
    size = len(xml)
    for name, content in files.items():
        if chunk and (size + len(content) > most_bytes or len(chunk) >= MOST_FILES):
            yield chunk
            chunk, size = {}, len(xml)
        chunk[name] = content
        size += len(content)
    yield chunk


def message_of(answer: httpx2.Response) -> str:
    """The text that the phone shows."""
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    root = fromstring(answer.content)  # noqa: S314 - our own server's answer
    assert root.tag == f"{RESPONSE}OpenRosaResponse"
    return root.findtext(f"{RESPONSE}message", "")


def new_id() -> str:
    """An instanceID."""
    return f"uuid:{secrets.token_hex(16)}"


def instance(
    instance_id: str | None, answers: str = "", *, form: str = "household_survey", deprecates: str | None = None
) -> str:
    """A filled form as Collect writes it."""
    meta = f"<orx:instanceID>{instance_id}</orx:instanceID>" if instance_id else ""
    meta += f"<orx:deprecatedID>{deprecates}</orx:deprecatedID>" if deprecates else ""
    return (
        f'<?xml version=\'1.0\' ?><{form} id="{form}" version="1" xmlns:orx="http://openrosa.org/xforms">'
        f"{answers}<orx:meta>{meta}</orx:meta></{form}>"
    )


def survey(instance_id: str | None, household: str, size: int = 5, photos: Iterable[str] = ()) -> str:
    """A filled household survey, with photos where it names some."""
    answers = f"<district>Kanungu</district><household_id>{household}</household_id>"
    answers += f"<household_size>{size}</household_size>"
    answers += "".join(f"<photo>{name}</photo>" for name in photos)
    return instance(instance_id, answers)
