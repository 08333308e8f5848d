"""Surveys under another name: what leaves the warehouse for one that is tried on holds nobody, and behaves the same.

The same text gets the same pseudonym, so that what joined still joins; a key that is made for one copy and kept nowhere
decides which.
"""

import hmac
import math
import re
import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

from warehouse.contract import IDENTIFIER, Contract, Field

NOISE = 0.03  # of money: all sums of a household by the same factor, so that they stay sums
DAYS = (
    30  # by which dates go back at most, all of a household alike; never forward, or surveys came before they were made
)
PLACES = {"cluster": "Cluster", "village": "Village"}
KEPT = {"district"}
ROUND = re.compile(r"\d{4}|undated|baseline", re.IGNORECASE)
HOUSEHOLD = re.compile(r"[A-Z]{3}-[0-9]{3,5}-[A-Z]{3}-[0-9]{1,4}")
CODES = re.compile(r"[A-Za-z]{1,12}|[0-9]{1,3}(?:[ ,;][0-9]{1,3})*")
MONEY = re.compile(r"USD|UGX|currency")
UNREADABLE, TOO_LARGE, LARGEST = "unreadable", "9999999", 1e6
DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Masker:
    """Gives pseudonyms under a key of its own."""

    def __init__(self) -> None:
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
        """What stands for a submission's key; the words before its colon, which say whose key it is, stay."""
        origin, colon, _ = key.partition(":")
        kept = origin if colon and origin.isalpha() and len(origin) <= len("idempotency") else "sent"
        return f"{kept}:{self.pseudonym('submission', key)}"

    def household(self, text: str) -> str:
        """What stands for a household, in the shape of its identifier; letter case and outer spaces do not count."""
        plain = text.strip().upper()
        if plain not in self._households:
            self._households[plain] = self._new_household(plain)
        return self._households[plain]

    def days_back(self, household: str) -> timedelta:
        """How far the dates of a household go back."""
        return timedelta(days=self._number("days", household) % (DAYS + 1))

    def row(self, contract: Contract, row: Mapping[str, str | None]) -> dict[str, str | None]:
        """The answers of a submission, masked."""
        about = str(row.get(contract.identifier) or "").strip().upper()
        return {
            field.name: None if (text := row[field.name]) is None else self._answer(field, text, about)
            for field in contract.fields
        }

    def _answer(self, field: Field, text: str, about: str) -> str | None:
        if field.pii:
            return None if field.pii_kind == "coordinate" else f"personal:{self.pseudonym(field.name, text)}"
        if field.name == IDENTIFIER:
            return self.household(text)
        if field.type == "text":
            return self._text(field.name, text)
        if field.type == "date":
            return self._date(text, self.days_back(about))
        if field.type in ("integer", "numeric"):
            return self._number_as_sent(field, text, about)
        return text if CODES.fullmatch(text.strip()) else UNREADABLE

    def _text(self, name: str, text: str) -> str:
        plain = " ".join(text.split()).lower()
        if name in KEPT or (name == "survey_round" and ROUND.fullmatch(plain)):
            return text
        return f"{PLACES.get(name, name)} {self.pseudonym(name, plain, length=10)}"

    def _date(self, text: str, back: timedelta) -> str:
        found = DATE.fullmatch(text.strip())
        try:
            return str(date(*map(int, found.groups())) - back) if found else UNREADABLE
        except ValueError:
            return UNREADABLE

    def _number_as_sent(self, field: Field, text: str, about: str) -> str:
        try:
            number = float(text.replace(",", ""))
        except ValueError:
            return UNREADABLE
        if MONEY.search(field.unit or "") and math.isfinite(number):
            masked = number * self._factor(about)
            return str(round(masked)) if field.type == "integer" else repr(masked if number else 0.0)
        if not math.isfinite(number):
            return UNREADABLE
        return text.strip() if abs(number) < LARGEST else TOO_LARGE

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
                masked = f"{plain[:3]}-{village:05}-{letters}-{digits:04}"
            if masked not in self._taken:
                self._taken.add(masked)
                return masked
        raise AssertionError(plain)  # of a hundred draws out of a million million one is free
