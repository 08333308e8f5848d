"""What an answer is, by its form: the exact judgement."""

import re
import sys
import unicodedata
from typing import Literal

import phonenumbers

from ingest_api.detection.places import holds_place
from ingest_api.detection.words import WORDS

Kind = Literal[
    "phone", "email", "national_id", "coordinates", "name", "birth_date", "account", "registration", "identifier"
]

REGION, COUNTRY_CODE = "UG", 256
OURS = re.compile(r"[2347][0-9]{8}")  # networks are given new ranges before a list of valid ones knows them
SHORTEST = 5  # characters; nothing personal that tells itself is shorter
PLAIN_NUMBER = re.compile(r"\s*[-+]?[0-9]{0,9}(?:[.][0-9]+)?\s*")
EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+ ?@ ?(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
NATIONAL_ID = re.compile(
    r"(?<![A-Za-z0-9])[CAFPR][MF][ -]?[0-9](?:[ -]?[0-9]){4}(?:[ -]?[A-Z0-9]){7}(?![A-Za-z0-9])", re.IGNORECASE
)
GAP = r"[ ()./-]{0,3}"
END = r"(?![0-9]|[.][0-9]*[1-9])"  # a spreadsheet makes 256772123456.0 of a number
PHONES = (
    re.compile(rf"(?<![0-9])(?<![0-9][.])[(]?0[) -]{{0,2}}[2-9](?:{GAP}[0-9]){{8}}{END}"),
    re.compile(
        rf"(?<![0-9])(?<![0-9][.])256(?:[ ()/-]{{0,3}}|[.](?=[0-9]{{2,4}}[.]))(?:0{GAP})?[2-9](?:{GAP}[0-9]){{8}}{END}"
    ),
    re.compile(rf"(?<![0-9])(?<![0-9][.])(?:[+] ?[(]?|00[ -]?)[1-9](?:{GAP}[0-9]){{6,14}}{END}"),
)
DATE = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})(?![0-9])")
NETWORK_EQUIPMENT = re.compile(r"[0-9]{15}")  # an IMEI names a device
MOST_GROUPS = 6
SPELT_DIGITS = 10
# What machines make: in one of three thousand of them some digits look like a number of telephone.
MADE = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9a-z])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-z])",
    re.IGNORECASE,
)

CUES = r"names? (?:is|are)|e?[rl]inn?ya l[iy]|eiz+i+na r[iy]|ibara r[iy]|jina l"
TITLES = "|".join(sorted(WORDS["title"]))
NAMED = re.compile(
    rf"(?:\b(\w+)[ ,]+)?\b(?:{CUES})\w*:? (?:(?:nze|ninze|niinye|ni|is|ye) )?([^\W\d_][\w'\u2019-]+)", re.IGNORECASE
)
TITLED = re.compile(rf"\b((?i:{TITLES}))\b\.? ?([^\W\d_][\w'\u2019-]+)")
LETTERS = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019.])*")
DIGIT = re.compile(r"[0-9]")
LONG_WORD = 5  # letters; fewer beside digits are those of a code
FEWEST_DIGITS = 6  # of a number in a column that is called so
# In a column of numbers of telephone or account these are spent or measured.
AMOUNT = re.compile(r"[1-9][0-9]{5,6}(?:[.][0-9]+)?|[1-9][0-9]*000(?:[.]0+)?|[0-9]{1,2}[.][0-9]+")
FINE = re.compile(r"['\"(]?[NSEW]? ?[-+]?[0-9]{1,3}[.,][0-9]{2,}", re.IGNORECASE)
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
WHOLE_DATE = re.compile(
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}([-/. ]?)[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-/. ])[0-9]{1,2}\2[0-9]{2,4})(?![0-9])"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th)?[ -]?(?:{MONTHS})[a-z]*[ ,-]{{0,2}}[0-9]{{2,4}}(?![0-9])"
    rf"|\b(?:{MONTHS})[a-z]* [0-9]{{1,2}}(?:st|nd|rd|th)?,? [0-9]{{4}}(?![0-9])",
    re.IGNORECASE,
)
PLATE = re.compile(r"\bU[ABDEF][A-Z] ?[0-9]{3} ?[A-Z]\b", re.IGNORECASE)  # UGX and USD begin amounts

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000"
INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
OTHER_DIGITS = "".join(
    chr(code) for code in range(128, sys.maxunicode) if unicodedata.decimal(chr(code), None) is not None
)
WRITTEN_PLAINLY = {
    **dict.fromkeys(map(ord, DASHES), "-"),
    **dict.fromkeys(map(ord, SPACES), " "),
    **dict.fromkeys(map(ord, INVISIBLE), ""),
    **{ord(digit): str(unicodedata.decimal(digit)) for digit in OTHER_DIGITS},
    ord("\uff20"): "@",
    ord("\uff0b"): "+",
}


def kinds_of_text(answer: str) -> tuple[Kind, ...]:
    """What an answer gives away by itself, whatever its column is called."""
    if len(answer) < SHORTEST or PLAIN_NUMBER.fullmatch(answer):
        return ()
    text = written_plainly(answer)
    # The digits of an identity number are none of a telephone.
    without_ids = NATIONAL_ID.sub(" ", text)
    signs: dict[Kind, bool] = {
        "email": "@" in text and EMAIL.search(text) is not None,
        "national_id": without_ids != text,
        "phone": _holds_phone(without_ids),
        "coordinates": holds_place(text),
        "registration": PLATE.search(text) is not None,
        "name": _holds_name(text),
    }
    return tuple(kind for kind, is_there in signs.items() if is_there)


def fits(kind: Kind, answer: str) -> bool:
    """Whether an answer can be what its column is called: no `n/a`, and no `2` for a number of telephone."""
    text = written_plainly(answer).strip()
    if kind == "email":
        return "@" in text
    if kind == "coordinates":
        return FINE.match(text) is not None or _digits(text) >= FEWEST_DIGITS
    if kind == "name":
        return _is_name(text)
    if kind == "birth_date":
        return WHOLE_DATE.search(text) is not None
    if kind == "registration" and PLATE.search(text):
        return True
    is_amount = kind != "national_id" and AMOUNT.fullmatch(text.replace(",", "")) is not None
    return _digits(text) >= FEWEST_DIGITS and not is_amount


def written_plainly(answer: str) -> str:
    """The answer with digits, spaces and dashes as ASCII has them, and without what cannot be seen."""
    return answer if answer.isascii() else answer.translate(WRITTEN_PLAINLY)


def _digits(text: str) -> int:
    return len(DIGIT.findall(text))


def _is_name(text: str) -> bool:
    """Whether words stand there that are no answer of another sort, and no part of a code."""
    words = {word for token in text.split() for word in _words(token)}
    return any(len(word) > 1 for word in words) and not words <= WORDS["no_answer"]


def _words(token: str) -> list[str]:
    fewest = LONG_WORD if DIGIT.search(token) else 1
    return [word.lower().strip(".'\u2019") for word in LETTERS.findall(token) if len(word) >= fewest]


def _holds_phone(text: str) -> bool:
    text = MADE.sub(" ", text)
    return any(_is_phone(text, found) for pattern in PHONES for found in pattern.finditer(text))


def _is_phone(text: str, found: re.Match[str]) -> bool:
    number = found[0].removesuffix(".0")
    before, after = text[: found.start()][-2:], text[found.end() : found.end() + 1]
    is_within_word = before[-1:].isalpha() and after.isalpha()
    is_end_of_code = re.fullmatch(r"[A-Za-z0-9][-/_]", before) is not None and not number.isdigit() and number[0] != "+"
    groups = re.findall(r"[0-9]+", number)
    if is_within_word or is_end_of_code or DATE.search(number) or NETWORK_EQUIPMENT.fullmatch(number):
        return False
    is_parted_oddly = len(groups) > MOST_GROUPS or min(map(len, groups[1:]), default=2) < 2
    return (not is_parted_oddly or _is_spelt(groups)) and _is_valid(number)


def _is_spelt(groups: list[str]) -> bool:
    """Whether a number stands there digit by digit; the codes of several choices are each another."""
    return len(groups) == SPELT_DIGITS and set(map(len, groups)) == {1} and len(set(groups)) < len(groups)


def _is_valid(number: str) -> bool:
    digits = re.sub(r"[^0-9]", "", number)
    international = f"+{digits}" if digits.startswith(str(COUNTRY_CODE)) or number.startswith("+") else digits
    international = f"+{digits[2:]}" if digits.startswith("00") else international
    try:
        parsed = phonenumbers.parse(international, REGION)
    except phonenumbers.NumberParseException:
        return False
    is_ours = parsed.country_code == COUNTRY_CODE and OURS.fullmatch(str(parsed.national_number)) is not None
    return is_ours or phonenumbers.is_valid_number(parsed)


def _holds_name(text: str) -> bool:
    for found in NAMED.finditer(text):
        before, name = found[1], found[2]
        if (before or "").lower() not in WORDS["place"] and name.lower() not in WORDS["no_name"]:
            return True
    return any(_is_titled(found[1], found[2]) for found in TITLED.finditer(text))


def _is_titled(title: str, name: str) -> bool:
    """`MR vaccine` is none: what follows a title begins large, unless its writer writes nothing large."""
    return name.lower() not in WORDS["no_name"] and (name[0].isupper() or title.islower())
