"""What the name of a column says of its answers."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from ingest_api.detection.answers import Kind, written_plainly
from ingest_api.detection.words import WORDS

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
PLACE = re.compile(r"(?:#|\[|[._ ])[0-9]+\]?$")  # which of several columns, elements or answers of one name
STEPS = re.compile(r"[/.:-]")  # of the path to a question within its groups
CELL = "cell"  # the smallest unit of administration, where no number is spoken of
COUNTS = (["number", "of"], ["no", "of"])
# Letters of other alphabets that look like Latin ones.
LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u03b1\u03b9\u03bf\u03c1\u03bd\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "aeopcyxijsdhABEKMHOPCTXIJSaiopvABEZHIKMNOPTYX",
)


@lru_cache(4096)
def kinds_of_header(header: str) -> tuple[Kind, ...]:
    """What a column of that name may hold, by answers that fit; nothing where it does not tell, or is not personal."""
    listed = [word.lower() for word in WORD.findall(plain_header(header).rpartition("/")[2])]
    pairs = {first + second for first, second in pairwise(listed)}  # WhatsApp, birth_date
    alone = frozenset(listed)
    words = alone | pairs
    signs: dict[Kind, bool] = {
        "email": bool(words & WORDS["email"]),
        "national_id": bool(words & WORDS["national_id"] or (words & WORDS["card"] and words & WORDS["card_number"])),
        "coordinates": _is_place(listed, words),
        "phone": (listed[:2] not in COUNTS and _is_phone(words)) or _is_contact(alone),
        "birth_date": bool(words & WORDS["birth"]) and not words & WORDS["thing"],
        "account": bool(words & WORDS["account"]) and not words & WORDS["not_account"],
        "registration": _is_registration(alone, words),
        "name": _is_name(words) or _is_person(alone),
    }
    return tuple(kind for kind, is_told in signs.items() if is_told)


@lru_cache(4096)
def bare_names(header: str) -> tuple[str, ...]:
    """The names that a header may stand for: without the place among its like, and without its path."""
    whole = PLACE.sub("", plain_header(header).strip())
    return tuple(dict.fromkeys((whole, *_ends(whole))))


def plain_header(header: str) -> str:
    """A header in the Latin letters that it looks to be of, without accents."""
    if header.isascii():
        return header
    parted = unicodedata.normalize("NFKD", written_plainly(header))
    return "".join(letter for letter in parted if not unicodedata.combining(letter)).translate(LOOK_ALIKES)


def _ends(whole: str) -> Iterator[str]:
    for step in STEPS.finditer(whole):
        yield whole[step.end() :]


def _is_place(listed: list[str], words: frozenset[str]) -> bool:
    return bool(words & WORDS["coordinates"] or listed == ["long"]) and not words & WORDS["not_coordinates"]


def _is_phone(words: frozenset[str]) -> bool:
    has_number = bool(words & WORDS["number"])
    has_word = bool(words & WORDS["phone"]) or (CELL in words and has_number)
    return has_word and (has_number or not words & WORDS["not_phone"])


def _is_contact(words: frozenset[str]) -> bool:
    around = WORDS["contact"] | WORDS["beside_contact"] | WORDS["number"] | WORDS["person"] | WORDS["person_alone"]
    return bool(words & WORDS["contact"]) and words <= around | WORDS["beside_person"]


def _is_registration(alone: frozenset[str], words: frozenset[str]) -> bool:
    if words & WORDS["registration"]:
        return not words & WORDS["not_account"]
    is_tax = "tin" in alone and alone <= {"tin"} | WORDS["number"]
    return is_tax or (bool(words & {"plate", "plates"}) and bool(words & WORDS["beside_plate"]))


def _is_name(words: frozenset[str]) -> bool:
    if words & WORDS["name"]:
        return not words & WORDS["thing"] or bool(words & (WORDS["person"] | WORDS["part_of_name"]))
    return False


def _is_person(words: frozenset[str]) -> bool:
    """Whether the column is called as a person is, and no more is said of them: *mother*, not *mother alive*."""
    is_called = bool(words & WORDS["person_alone"]) or {"contact", "person"} <= words
    is_signed = bool(words & WORDS["signed"]) and bool(words & {"by", "person"})
    around = WORDS["person_alone"] | WORDS["beside_person"]
    return (is_called and words <= around) or (is_signed and words <= around | WORDS["signed"])
