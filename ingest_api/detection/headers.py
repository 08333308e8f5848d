"""What the name of a column says of its answers."""

import re
from functools import lru_cache

from ingest_api.detection.answers import Kind
from ingest_api.detection.words import WORDS

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
CELL = "cell"  # the smallest unit of administration, where no number is spoken of
COUNTS = (["number", "of"], ["no", "of"])


@lru_cache(4096)
def kind_of_header(header: str) -> Kind | None:
    """The kind of answer that a column of that name holds; None where it does not tell, or they are not personal."""
    listed = [word.lower() for word in WORD.findall(header.rpartition("/")[2])]
    words = frozenset(listed)
    if words & WORDS["email"]:
        return "email"
    if words & WORDS["national_id"] or (words & WORDS["card"] and words & WORDS["card_number"]):
        return "national_id"
    if (words & WORDS["coordinates"] or listed == ["long"]) and not words & WORDS["not_coordinates"]:
        return "coordinates"
    if listed[:2] not in COUNTS and _is_phone(words):
        return "phone"
    if _is_name(words):
        return "name"
    around = WORDS["contact"] | WORDS["beside_contact"] | WORDS["number"] | WORDS["person"]
    return "phone" if words & WORDS["contact"] and words <= around else None


def _is_phone(words: frozenset[str]) -> bool:
    has_number = bool(words & WORDS["number"])
    has_word = bool(words & WORDS["phone"]) or (CELL in words and has_number)
    return has_word and (has_number or not words & WORDS["not_phone"])


def _is_name(words: frozenset[str]) -> bool:
    if words & WORDS["name"]:
        return not words & WORDS["thing"] or bool(words & (WORDS["person"] | WORDS["part_of_name"]))
    is_person = bool(words & WORDS["person_alone"]) or words == {"contact", "person"}
    return is_person and words <= WORDS["person_alone"] | WORDS["beside_person"]
