"""What an answer is, by its form: the exact judgement."""

import re
import sys
import unicodedata
from typing import Literal

import phonenumbers

from ingest_api.detection.words import WORDS

Kind = Literal["phone", "email", "national_id", "coordinates", "name"]

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
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

NUMBER = r"([-+]?[0-9]{1,3}[.][0-9]{3,})"
PAIR = re.compile(rf"(?<![0-9.]){NUMBER} ?°? ?([NSEW])?[ ,;/|]{{1,3}}{NUMBER} ?°? ?([NSEW])?", re.IGNORECASE)
MOST_LIKELY = ((-12.0, 16.0), (28.0, 52.0))  # degrees: East Africa, where two numbers alone are taken for a place
FINE_DIGITS = 5  # decimals of two numbers that are taken for a place anywhere
LINKS = (
    r"maps\.app\.goo\.gl/|goo\.gl/maps|google\.[a-z.]{2,6}/maps|maps\.google\.|\bosm\.org/|openstreetmap\.org/"
    r"|\bgeo:-?[0-9]|what3words\.com/|\bw3w\.co/|waze\.com/"
)
ANGLE, MINUTE, SECOND = r"[0-9]{1,2}(?:[.][0-9]+)?", "['\u2032\u2019]", "(?:\"|''|\u2033|\u201d)"
PLACES = (
    re.compile(rf"[0-9]{{1,3}} ?[°º˚] ?{ANGLE} ?(?:{MINUTE} ?(?:{ANGLE} ?(?:{SECOND} ?)?)?)?[NSEW]\b"),
    re.compile(r"\b[NS] ?[0-9]{1,2}(?: |° ?)[0-9]{1,2}[.][0-9]{2,}[^0-9A-Za-z]{0,4}[EW] ?[0-9]{1,3}"),
    re.compile(r"\b[NSEW] ?[0-9]{1,3} ?° ?[0-9]{1,2}\b"),
    re.compile(LINKS, re.IGNORECASE),
    re.compile(r"\b(?:POINT|LINESTRING|POLYGON) ?(?:Z|M|ZM)? ?[(]{1,2} ?-?[0-9]", re.IGNORECASE),
    re.compile(r"\"coordinates\" ?: ?\["),
    re.compile(r"\b[23456789CFGHJMPQRVWX]{8}[+][23456789CFGHJMPQRVWX]{2,3}\b"),
)

CUES = r"names? (?:is|are)|e?[rl]inn?ya l[iy]|eiz+i+na r[iy]|ibara r[iy]|jina l"
TITLES = "|".join(sorted(WORDS["title"]))
NAMED = re.compile(
    rf"(?:\b(\w+)[ ,]+)?\b(?:{CUES})\w*:? (?:(?:nze|ninze|niinye|ni|is|ye) )?([^\W\d_][\w'\u2019-]+)", re.IGNORECASE
)
TITLED = re.compile(rf"\b((?i:{TITLES}))\b\.? ?([^\W\d_][\w'\u2019-]+)")
LETTERS = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019.-])*")
LONGEST_NAME = 80
FEWEST_DIGITS = 6  # of a number in a column that is called so
FINE = re.compile(r"[-+]?[0-9]{1,3}[.,][0-9]{2,}")

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


def kind_of_text(answer: str) -> Kind | None:
    """What an answer gives away by itself, whatever its column is called."""
    if len(answer) < SHORTEST or PLAIN_NUMBER.fullmatch(answer):
        return None
    text = written_plainly(answer)
    if "@" in text and EMAIL.search(text):
        return "email"
    if NATIONAL_ID.search(text):
        return "national_id"
    if _holds_phone(text):
        return "phone"
    if _holds_place(text):
        return "coordinates"
    return "name" if _holds_name(text) else None


def fits(kind: Kind, answer: str) -> bool:
    """Whether an answer can be what its column is called: no `n/a`, and no `2` for a number of telephone."""
    text = written_plainly(answer).strip()
    if kind == "email":
        return "@" in text
    if kind == "coordinates":
        return FINE.match(text) is not None
    if kind == "name":
        words = LETTERS.findall(text)
        is_filled = (
            any(len(word) > 1 for word in words)
            and not {word.lower().strip(".") for word in words} <= WORDS["no_answer"]
        )
        return is_filled and len(text) <= LONGEST_NAME
    return sum(map(str.isdigit, text)) >= FEWEST_DIGITS


def written_plainly(answer: str) -> str:
    """The answer with digits, spaces and dashes as ASCII has them, and without what cannot be seen."""
    return answer if answer.isascii() else answer.translate(WRITTEN_PLAINLY)


def _holds_phone(text: str) -> bool:
    if UUID.search(text):
        return False
    return any(_is_phone(text, found) for pattern in PHONES for found in pattern.finditer(text))


def _is_phone(text: str, found: re.Match[str]) -> bool:
    number = found[0].removesuffix(".0")
    before, after = text[: found.start()][-2:], text[found.end() : found.end() + 1]
    is_within_word = before[-1:].isalpha() and after.isalpha()
    is_end_of_code = re.fullmatch(r"[A-Za-z0-9][-/_]", before) is not None and not number.isdigit() and number[0] != "+"
    groups = re.findall(r"[0-9]+", number)
    if is_within_word or is_end_of_code or len(groups) > MOST_GROUPS or DATE.search(number):
        return False
    if NETWORK_EQUIPMENT.fullmatch(number) or min(map(len, groups[1:]), default=2) < 2:
        return False
    return _is_valid(number)


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


def _holds_place(text: str) -> bool:
    if any(pattern.search(text) for pattern in PLACES):
        return True
    return any(_is_place(*found.groups()) for found in PAIR.finditer(text))


def _is_place(first: str, first_side: str | None, second: str, second_side: str | None) -> bool:
    one, other = float(first), float(second)
    if abs(one) > 180 or abs(other) > 180 or min(abs(one), abs(other)) > 90:
        return False
    if first_side and second_side:
        return True
    is_near = any(_lies(*pair) for pair in ((one, other), (other, one)))
    has_sign = first[0] in "-+" or second[0] in "-+"
    return is_near or (has_sign and min(len(part.partition(".")[2]) for part in (first, second)) >= FINE_DIGITS)


def _lies(latitude: float, longitude: float) -> bool:
    (south, north), (west, east) = MOST_LIKELY
    return south <= latitude <= north and west <= longitude <= east


def _holds_name(text: str) -> bool:
    for found in NAMED.finditer(text):
        before, name = found[1], found[2]
        if (before or "").lower() not in WORDS["place"] and name.lower() not in WORDS["no_name"]:
            return True
    return any(_is_titled(found[1], found[2]) for found in TITLED.finditer(text))


def _is_titled(title: str, name: str) -> bool:
    """`MR vaccine` is none: what follows a title begins large, unless its writer writes nothing large."""
    return name.lower() not in WORDS["no_name"] and (name[0].isupper() or title.islower())
