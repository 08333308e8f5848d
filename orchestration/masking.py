"""Surveys under another name: what leaves the warehouse for one that is tried on holds nobody, and behaves the same.

The same text gets the same pseudonym, so that what joined still joins; a key that is made for one copy and kept nowhere
decides which.
"""

import hmac
import re
import secrets
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from uuid import UUID

from ingest_api.corrections import WHOLE, is_answer
from warehouse.contract import IDENTIFIER, Contract, Field

NOISE = 0.03  # of money: all sums of a household by the same factor, so that they stay sums
DAYS = 30  # by which dates go back at most; never forward, or surveys came before they were made
ORIGINS = frozenset({"client", "content", "correction", "given", "idempotency", "uuid"})
PLACES = {"cluster": "Cluster", "village": "Village"}
PLAIN_DISTRICT = re.compile(r"[^\W\d_]+(?:[ '-][^\W\d_]+)*")
ROUND = re.compile(r"(?:19|20)[0-9]{2}|undated|baseline", re.IGNORECASE)
HOUSEHOLD = re.compile(r"[A-Z]{3}-[0-9]{3,5}-[A-Z]{3}-[0-9]{1,4}")
LISTED = re.compile(r"[0-9]{1,2}")  # a code of a list that the contract leaves open
MONEY = re.compile(r"USD|UGX|currency")
UNREADABLE, TOO_LARGE, LARGEST = "unreadable", "9999999", 1e6
DIGITS = 6  # of a number at most: a telephone number has more
DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Masker:
    """Gives pseudonyms under a key of its own.

    Args:
        districts: those that keep their names.
    """

    def __init__(self, districts: Collection[str] = ()) -> None:
        plain = [district for district in districts if PLAIN_DISTRICT.fullmatch(district)]
        self._districts = {_folded(district) for district in plain}
        self._prefixes = {district[:3].upper() for district in plain}
        self._key = secrets.token_bytes(32)
        self._households: dict[str, str] = {}
        self._taken: set[str] = set()

    def pseudonym(self, kind: str, text: str, *, length: int = 32) -> str:
        """Hexadecimal digits that stand for a text, others for every kind of thing."""
        return hmac.digest(self._key, f"{kind}\0{text}".encode(), "sha256").hex()[:length]

    def identity(self, identity: UUID) -> UUID:
        """What stands for the identity of a submission."""
        return UUID(self.pseudonym("identity", str(identity)))

    def submission(self, key: str) -> str:
        """What stands for a submission's key; a word before its colon that says what kind of key it is stays."""
        origin, colon, _ = key.partition(":")
        return f"{origin if colon and origin in ORIGINS else 'sent'}:{self.pseudonym('submission', key)}"

    def household(self, text: str) -> str:
        """What stands for a household, in the shape of its identifier; letter case and outer spaces do not count."""
        plain = text.strip().upper()
        if plain not in self._households:
            self._households[plain] = self._new_household(plain)
        return self._households[plain]

    def days_back(self, group: str) -> timedelta:
        """How far the dates of what belongs together go back."""
        return timedelta(days=1 + self._number("days", group) % DAYS)

    def row(self, contract: Contract, row: Mapping[str, str | None], back: timedelta) -> dict[str, str | None]:
        """The answers of a submission, masked, its dates moved back."""
        about = subject(row.get(contract.identifier))
        return {
            field.name: None if (text := row[field.name]) is None else self._answer(field, text, about, back)
            for field in contract.fields
        }

    def _answer(self, field: Field, text: str, about: str, back: timedelta) -> str | None:
        if field.pii:
            return None if field.pii_kind == "coordinate" else f"personal:{self.pseudonym(field.name, text)}"
        if field.name == IDENTIFIER:
            return self.household(text)
        if field.type == "date":
            return _date(text, back)
        if field.type in ("integer", "numeric"):
            return self._number_as_sent(field, text, about)
        if field.type in ("boolean", "multi-code") or field.codes:
            return _code(field, text)
        return self._text(field.name, text)

    def _text(self, name: str, text: str) -> str:
        plain = _folded(text)
        if (name == "district" and plain in self._districts) or (name == "survey_round" and ROUND.fullmatch(plain)):
            return text
        if name == "district":
            return f"{self._letters(plain[:3]).title()} {self.pseudonym(name, plain, length=10)}"
        return f"{PLACES.get(name, name)} {self.pseudonym(name, plain, length=10)}"

    def _letters(self, prefix: str) -> str:
        """Three letters for the first ones of a district, which the identifiers of its households begin with."""
        drawn = self._number("prefix", prefix.upper())
        return "".join(LETTERS[drawn // 26**place % 26] for place in range(3))

    def _number_as_sent(self, field: Field, text: str, about: str) -> str:
        plain = text.strip()
        if not is_answer(field, plain):
            return UNREADABLE
        if WHOLE.sub("", plain) in field.missing_codes:
            return plain
        number = float(plain)
        if MONEY.search(field.unit or ""):
            masked = number * self._factor(about)
            return str(round(masked)) if field.type == "integer" else repr(masked if number else 0.0)
        if abs(number) >= LARGEST:
            return TOO_LARGE
        return plain if sum(map(str.isdigit, plain)) <= DIGITS else f"{number:.{DIGITS}g}"

    def _factor(self, about: str) -> float:
        share = self._number("money", about) % 2**32 / 2**32
        return 1 + NOISE * (2 * share - 1)

    def _number(self, kind: str, text: str) -> int:
        return int(self.pseudonym(kind, text), 16)

    def _new_household(self, plain: str) -> str:
        for attempt in range(100):
            drawn = self._number("household", f"{plain}\0{attempt}" if attempt else plain)
            if not HOUSEHOLD.fullmatch(plain):
                masked = f"HOUSEHOLD {drawn:032x}"
            else:
                drawn, digits = divmod(drawn, 10_000)
                drawn, village = divmod(drawn, 100_000)
                letters = "".join(LETTERS[drawn // 26**place % 26] for place in range(3))
                district = plain[:3] if plain[:3] in self._prefixes else self._letters(plain[:3])
                masked = f"{district}-{village:05}-{letters}-{digits:04}"
            if masked not in self._taken:
                self._taken.add(masked)
                return masked
        raise AssertionError(plain)  # of a hundred draws out of a million million one is free


def subject(text: str | None) -> str:
    """What a submission is about, as its identifier says whatever its letter case."""
    return (text or "").strip().upper()


def _folded(text: str) -> str:
    return " ".join(text.split()).lower()


def _date(text: str, back: timedelta) -> str:
    found = DATE.fullmatch(text.strip())
    try:
        return str(date(*map(int, found.groups())) - back) if found else UNREADABLE
    except (ValueError, OverflowError):
        return UNREADABLE


def _code(field: Field, text: str) -> str:
    """A coded answer where it is one; of several codes that no contract lists the order, which may spell, is lost."""
    plain = WHOLE.sub("", text.strip())
    if not is_answer(field, plain):
        return UNREADABLE
    if field.codes or field.type == "boolean":
        return plain
    codes = set(plain.split())
    return " ".join(sorted(codes, key=int)) if all(map(LISTED.fullmatch, codes)) else UNREADABLE
