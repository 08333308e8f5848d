"""A filled form as its XML says it: its form, its identity, its answers, the files it speaks of."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from ingest_api.records import LONGEST_NAME
from warehouse.contract import Contract
from warehouse.errors import RefusedSurveyError

MOST_LEVELS = 50
MOST_ELEMENTS = 10_000
INSTANCE_ID = "meta/instanceID"
DEPRECATED_ID = "meta/deprecatedID"
AUDIT = "meta/audit"
ENCRYPTED_FILE = re.compile(r"encryptedXmlFile|media(\[\d+\])?/file(\[\d+\])?")
MEDIA_NAME = re.compile(
    r"[^/\\\n]{1,200}\.(jpe?g|png|gif|svg|webp|heic|3gpp?|amr|aac|m4a|mp3|ogg|wav|mp4|mov|webm|mkv|pdf|csv|zip)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Instance:
    """One filled form.

    Attributes:
        form: the `id` of its root.
        instance_id: the phone's identity of it, None where it gave none.
        deprecated_id: the identity of the earlier instance that it corrects.
        answers: every filled element by its path, without the identities; a repeated element is `path[2]`.
        is_encrypted: whether the answers stand in a file of their own that only the key's owner can read.
    """

    form: str
    instance_id: str | None
    deprecated_id: str | None
    answers: dict[str, str]
    is_encrypted: bool

    @property
    def texts(self) -> frozenset[str]:
        """All answers, as file names are compared."""
        return frozenset(map(normalise, self.answers.values()))

    @property
    def expected_files(self) -> list[str]:
        """The files that belong to it, as far as its XML shows."""
        expected = (text for path, text in self.answers.items() if self._names_file(path, text))
        return sorted({normalise(text)[:LONGEST_NAME] for text in expected})

    def _names_file(self, path: str, text: str) -> bool:
        if self.is_encrypted:
            return ENCRYPTED_FILE.fullmatch(path) is not None
        return path == AUDIT or MEDIA_NAME.fullmatch(text) is not None

    def answers_for(self, contract: Contract) -> dict[str, str]:
        """The answers by the names that a contract knows, whatever group they stand in; all others by their path."""
        leaves = list(dict.fromkeys(map(_leaf, self.answers)))
        resolved = contract.resolve(leaves)
        known = {leaf for leaf, name in zip(leaves, resolved, strict=True) if name}
        named: dict[str, str] = {}
        for path, text in self.answers.items():
            leaf = _leaf(path)
            name = leaf if leaf in known and leaf not in named else path
            named[name if name not in named else f"/{path}"] = text
        return named


def read_instance(xml: str) -> Instance:
    """The instance that a submission's XML holds.

    Raises:
        RefusedSurveyError: it is no XML, is built to do harm, or does not say which form it fills.
    """
    reader = _Reader()
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        parser.feed(xml)
        parser.close()
    except ParseError as error:
        raise RefusedSurveyError(f"The submission is no XML: {error}.", code="openrosa.bad_xml") from error
    except DefusedXmlException as error:
        message = "The submission's XML declares a document type or entities."
        raise RefusedSurveyError(message, code="openrosa.forbidden_xml", remedy="Send plain elements.") from error
    return reader.instance()


def normalise(name: str) -> str:
    """A file's name as it is compared: the same letters in the same bytes."""
    return unicodedata.normalize("NFC", name.strip())


class _Reader:
    """Collects an instance from the events of a parser, and ends one that is too deep or too large."""

    def __init__(self) -> None:
        self._root: dict[str, str] = {}
        self._path: list[str] = []
        self._siblings: list[Counter[str]] = []
        self._texts: list[list[str]] = []
        self._elements = 0
        self._answers: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._elements += 1
        if self._elements > MOST_ELEMENTS or len(self._siblings) >= MOST_LEVELS:
            message = f"The submission has more than {MOST_ELEMENTS:,} elements or {MOST_LEVELS} levels."
            raise RefusedSurveyError(message, code="openrosa.xml_too_large")
        name = _local(tag)
        if self._siblings:
            self._siblings[-1][name] += 1
            place = self._siblings[-1][name]
            self._path.append(name if place == 1 else f"{name}[{place}]")
        else:
            self._root = {_local(key): value for key, value in attributes.items()}
        self._siblings.append(Counter())
        self._texts.append([])

    def data(self, text: str) -> None:
        """A piece of text."""
        self._texts[-1].append(text)

    def end(self, tag: str) -> None:  # noqa: ARG002 - the parser gives it, the path knows it
        """An element ends."""
        self._siblings.pop()
        text = "".join(self._texts.pop()).strip()
        if text and self._path:
            self._answers["/".join(self._path)] = text
        if self._path:
            self._path.pop()

    def close(self) -> None:
        """The document ends."""

    def instance(self) -> Instance:
        """What was read."""
        form = self._root.get("id", "").strip()
        if not form:
            message = "The submission's root element bears no id, so its form is not known."
            raise RefusedSurveyError(message, code="openrosa.no_form")
        is_encrypted = self._root.get("encrypted") == "yes" or "encryptedXmlFile" in self._answers
        instance_id = self._identity(INSTANCE_ID, self._root.get("instanceID", "").strip())
        deprecated_id = self._identity(DEPRECATED_ID)
        if is_encrypted and not instance_id:
            message = "The encrypted submission has no instanceID, without which nobody can decrypt it."
            raise RefusedSurveyError(message, code="openrosa.no_instance_id")
        if is_encrypted:
            self._answers["encrypted"] = "yes"
        return Instance(
            form, instance_id, deprecated_id if deprecated_id != instance_id else None, self._answers, is_encrypted
        )

    def _identity(self, path: str, otherwise: str = "") -> str | None:
        value = self._answers.pop(path, otherwise) or None
        if value and len(value) > LONGEST_NAME:
            message = f"{path} has {len(value):,} characters, {LONGEST_NAME} are allowed."
            raise RefusedSurveyError(message, code="openrosa.long_instance_id")
        return value


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _leaf(path: str) -> str:
    return path.rpartition("/")[2]
