"""Whether a text says where somebody lives: pairs of coordinates, degrees and minutes, links to maps."""

import re

NUMBER = r"([-+]?[0-9]{1,3}[.][0-9]{3,})"
COMMA_NUMBER = r"([-+]?[0-9]{1,3},[0-9]{4,})"  # with three digits it is an amount of thousands
BETWEEN = r"[ ;:/|\t\r\n]"
PAIR = re.compile(rf"(?<![0-9.]){NUMBER} ?°? ?([NSEW])?(?:{BETWEEN}|,){{1,3}}{NUMBER} ?°? ?([NSEW])?", re.IGNORECASE)
COMMA_PAIR = re.compile(
    rf"(?<![0-9.,]){COMMA_NUMBER} ?°? ?([NSEW])?{BETWEEN}{{1,3}}{COMMA_NUMBER}(?![0-9]) ?°? ?([NSEW])?", re.IGNORECASE
)
MOST_LIKELY = ((-12.0, 16.0), (28.0, 52.0))  # degrees: East Africa, where two numbers alone are taken for a place
FINE_DIGITS = 5  # decimals of two numbers that are taken for a place anywhere
LINKS = (
    r"maps\.app\.goo\.gl/|goo\.gl/maps|google\.[a-z.]{2,6}/maps|maps\.google\.|\bosm\.org/|openstreetmap\.org/"
    r"|\bgeo:-?[0-9]|what3words\.com/|\bw3w\.co/|waze\.com/"
)
SIDES = "lat|latitude|lon|lng|longitude"
ANGLE, MINUTE, SECOND = r"[0-9]{1,2}(?:[.][0-9]+)?", "['\u2032\u2019]", "(?:\"|''|\u2033|\u201d)"
SPACED = r"[0-9]{1,3}[ :][0-9]{1,2}[ :][0-9]{1,2}(?:[.][0-9]+)?"
PLACES = (
    re.compile(rf"[0-9]{{1,3}} ?[°º˚] ?{ANGLE} ?(?:{MINUTE} ?(?:{ANGLE} ?(?:{SECOND} ?)?)?)?[NSEW]\b"),
    re.compile(r"\b[NS] ?[0-9]{1,2}(?: |° ?)[0-9]{1,2}[.][0-9]{2,}[^0-9A-Za-z]{0,4}[EW] ?[0-9]{1,3}"),
    re.compile(r"\b[NSEW] ?[0-9]{1,3} ?° ?[0-9]{1,2}\b"),
    re.compile(rf"\b{SPACED} ?[NS][^0-9A-Za-z]{{0,3}}{SPACED} ?[EW]\b", re.IGNORECASE),
    re.compile(rf"\b[NS] ?{SPACED}[^0-9A-Za-z]{{0,3}}[EW] ?{SPACED}\b", re.IGNORECASE),
    re.compile(rf"\b(?:{SIDES})[^0-9A-Za-z]{{0,6}}(?<![0-9])[0-9]{{1,3}}[.,][0-9]{{2,}}", re.IGNORECASE),
    re.compile(LINKS, re.IGNORECASE),
    re.compile(r"\b(?:POINT|LINESTRING|POLYGON) ?(?:Z|M|ZM)? ?[(]{1,2} ?-?[0-9]", re.IGNORECASE),
    re.compile(r"\"coordinates\" ?: ?\["),
    re.compile(r"\b[23456789CFGHJMPQRVWX]{8}[+][23456789CFGHJMPQRVWX]{2,3}\b"),
)


def holds_place(text: str) -> bool:
    """Whether there is a place in a text that is written plainly."""
    if any(pattern.search(text) for pattern in PLACES):
        return True
    return any(_is_place(*found.groups()) for pattern in (PAIR, COMMA_PAIR) for found in pattern.finditer(text))


def _is_place(first: str, first_side: str | None, second: str, second_side: str | None) -> bool:
    first, second = first.replace(",", "."), second.replace(",", ".")
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
