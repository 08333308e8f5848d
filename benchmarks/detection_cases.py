"""Answers that hold personal data, and answers that only look as if they did, made up by the thousand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from benchmarks.detection_words import (
    FIRST_NAMES,
    LAST_NAMES,
    NAME_HEADERS,
    NAME_TEXTS,
    NETWORK_HEADERS,
    OTHER_LETTERS,
    PERSON_ANSWERS,
    PERSON_HEADERS,
    PHONE_HEADERS,
    PHRASES,
    PREFIXES,
    SENTENCES,
    VILLAGES,
)
from ingest_api.detection import Kind

Case = tuple[str, str]  # header, answer


@dataclass(frozen=True)
class Family:
    """Cases of one sort.

    Attributes:
        kind: what is to be found in each; None where there is nothing.
        name: what they are.
        make: makes one: its column and its answer.
    """

    kind: Kind | None
    name: str
    make: Callable[[Random], Case]


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices("0123456789", k=count))


def _number(random: Random) -> str:
    """The nine digits of a Ugandan number."""
    return random.choice(PREFIXES) + str(random.randint(2, 7)) + _digits(random, 6)


def _written(random: Random, number: str) -> str:
    """A number as people write it."""
    start = random.choice(("0", "+256", "256", "+256 ", "00256", "+256 (0) ", "+256-", "(0)"))
    gap = random.choice(("", "", " ", "-", ".", "\u00a0", "\u2011")) if start not in {"256", "(0)"} else ""
    text = start + number[:3] + gap + number[3:6] + gap + number[6:]
    return random.choice((text, text, f"\u202a{text}\u202c", f"{text}.0" if text.isdecimal() else text))


def _phone_in_text(random: Random) -> Case:
    sentence = random.choice(SENTENCES)
    return "comments", sentence.format(*(_written(random, _number(random)) for _ in range(sentence.count("{}"))))


def _phone_abroad(random: Random) -> Case:
    start = random.choice(("+254 7{}", "+250 78{}", "+25570{}", "+44 7911 {}", "00254 7{}"))
    filled = {"+250 78": 7, "+25570": 7, "+44 7911 ": 6}.get(start.removesuffix("{}"), 8)
    digits = random.choice("01249") + _digits(random, filled - 1) if filled == 8 else "1" + _digits(random, filled - 1)
    return "comments", start.format(digits)


def _phone_by_header(random: Random) -> Case:
    number = _number(random)
    return random.choice(PHONE_HEADERS), random.choice((number, f"{number}.0", f"7{number[1:]}", f"0{number[:8]}"))


def _email(random: Random) -> Case:
    name, domain = random.choice(LAST_NAMES).lower(), random.choice(("gmail.com", "yahoo.co.uk", "kanungu.go.ug"))
    address = f"{name}{random.choice(('', '.', '_'))}{_digits(random, random.randint(0, 3))}@{domain}"
    return "comments", random.choice(("{}", "write to {}.", "<{}>", "{} or by phone")).format(address)


def _national_id(random: Random) -> Case:
    tail = "".join(random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=6)) + random.choice("ABCDEFGHKL")
    number = f"{random.choice('CCCCA')}{random.choice('MF')}{_digits(random, 5)}{tail}"
    text = random.choice(
        (number, number.lower(), f"NIN {number}", f"id: {number};", f"{number[:4]} {number[4:8]} {number[8:]}")
    )
    return "comments", text


def _coordinates(random: Random) -> Case:
    latitude, longitude = random.uniform(-1.4, 4.2), random.uniform(29.6, 35.0)
    places = random.randint(4, 7)
    plain = f"{latitude:.{places}f}", f"{longitude:.{places}f}"
    side = "S" if latitude < 0 else "N"
    degrees, minutes = divmod(abs(latitude) * 60, 60)
    return "comments", random.choice(
        (
            "{},{}".format(*plain),
            "home at {}, {}".format(*plain),
            "{} {} 1320.0 4.8".format(*plain),
            "{1};{0}".format(*plain),
            f"{abs(latitude):.4f}°{side}, {longitude:.4f}°E",
            f"{int(degrees)}°{int(minutes)}'12.5\"{side} 29°44'04.2\"E",
            f"{side}{int(degrees):02d} {minutes:06.3f} E029 44.070",
            "https://maps.google.com/?q={},{}".format(*plain),
            "https://maps.app.goo.gl/" + _digits(random, 12),
            "POINT ({1} {0})".format(*plain),
            "geo:{},{}".format(*plain),
        )
    )


def _coordinates_by_header(random: Random) -> Case:
    return random.choice(("lat", "GPS Latitude", "_location_longitude", "gps")), f"{random.uniform(-1.4, 35):.5f}"


def _name_by_header(random: Random) -> Case:
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    return random.choice(NAME_HEADERS), random.choice(
        (f"{first} {last}", f"{last.upper()} {first}", last, last.lower())
    )


def _name_in_text(random: Random) -> Case:
    return "comments", random.choice(NAME_TEXTS).format(random.choice(FIRST_NAMES), random.choice(LAST_NAMES))


def _name_of_person(random: Random) -> Case:
    return random.choice(PERSON_HEADERS), random.choice(
        (_person(random), _person(random).lower(), f"late {_person(random)}")
    )


def _name_in_other_letters(random: Random) -> Case:
    return random.choice(OTHER_LETTERS), random.choice((_person(random), f"{_person(random)} " * 8))


def _name_within_json(random: Random) -> Case:
    name = _person(random)
    return "members", random.choice(
        (
            f'[{{"name":"{name}","age":{random.randint(1, 90)}}}]',
            f'{{"roster":[{{"age":3}},{{"spouse":"{name}"}}]}}',
            f'[ {{"hh_head": ["{name}"]}} ]',
        )
    )


def _person(random: Random) -> str:
    return f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"


def _bare_elsewhere(random: Random) -> Case:
    return random.choice(("answer", "q12", "note", "who", "farmer", "owner")), _person(random)


def _phone_parted(random: Random) -> Case:
    number = f"0{_number(random)}"
    parts = random.choice((f'["{number[:4]}","{number[4:7]}","{number[7:]}"]', f'{{"who":{{"line":"{number}"}}}}'))
    return "reached", random.choice((parts, f"{' '.join(number[:-1] + number[0])}"))


def _phone_by_network(random: Random) -> Case:
    return random.choice(NETWORK_HEADERS), _number(random)


def _coordinates_otherwise(random: Random) -> Case:
    latitude, longitude = random.uniform(-1.4, 4.2), random.uniform(29.6, 35.0)
    south, east = f"{latitude:.6f}", f"{longitude:.6f}"
    side = "S" if latitude < 0 else "N"
    angles = (int(abs(latitude)), random.randint(0, 59), random.randint(0, 59), int(longitude), 7, 24)
    return "remarks", random.choice(
        (
            f"?lat={south}&lon={east}",
            f"{south}; {east}".replace(".", ","),
            f"{south}:{east}",
            f"{south}\n{east}",
            f'{{"lat":{latitude:.2f},"lng":{longitude:.2f}}}',
            "{0:02d} {1:02d} {2:02d} {6} {3:02d} {4:02d} {5:02d} E".format(*angles, side),
            "{6} {0:02d} {1:02d} {2:02d} E {3:02d} {4:02d} {5:02d}".format(*angles, side),
        )
    )


def _coordinate_otherwise(random: Random) -> Case:
    degrees = random.uniform(0.2, 4.2)
    return random.choice(("gps_latitude", "y_coord", "GPS lat")), random.choice(
        (f"S{degrees:.6f}", f"-{int(degrees * 1_000_000)}", f"{degrees:.5f}".replace(".", ","), f"N {degrees:.4f}")
    )


def _birth_date(random: Random) -> Case:
    day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(1930, 2020)
    header = random.choice(("DOB", "date of birth", "head_date_of_birth", "BirthDate"))
    return header, random.choice((f"{year}-{month:02d}-{day:02d}", f"{day}/{month}/{year}", f"{day} March {year}"))


def _account(random: Random) -> Case:
    return random.choice(("Bank account", "account number", "acct_no")), random.choice("1239") + _digits(
        random, 12
    ) + "7"


def _registration(random: Random) -> Case:
    plate = f"U{random.choice('ABDEF')}{random.choice('ABCDEFG')} {_digits(random, 3)}{random.choice('ABCDEFG')}"
    return random.choice(
        (
            ("number plate", plate),
            ("motorcycle plate", plate.lower()),
            ("comments", f"came on {plate}"),
            ("TIN", f"1{_digits(random, 8)}4"),
            ("LandTitle", f"FRV {_digits(random, 4)} folio {_digits(random, 2)}"),
        )
    )


def _answer_of_person(random: Random) -> Case:
    return random.choice(PERSON_ANSWERS)


def _phrase_of_person(random: Random) -> Case:
    return random.choice(("mother", "husband", "spouse", "head")), random.choice(PHRASES)


def _number_beside(random: Random) -> Case:
    return random.choice(
        (
            ("momo", f"{random.randint(1, 99)}00000"),
            ("airtel", f"{random.randint(1, 999)},000"),
            ("ph", f"{random.uniform(4, 9)!r}"),
            ("account balance", _digits(random, 7)),
            ("tin_roof", "1"),
            ("DOB", f"{random.randint(1930, 2020)}"),
            ("rooms", f'[{{"area":{random.randint(1, 90)},"roof":"tin"}}]'),
            ("scores", f"[{random.randint(1, 9)}, {random.randint(1, 9)}, 3]"),
            ("paid", f"{random.randint(1, 9)},200; {random.randint(10, 99)},400"),
            ("paid", f"UGX {random.randint(100, 999)}K"),
        )
    )


def _bare_name(random: Random) -> Case:
    return "comments", f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)} was at the well"


def _amount(random: Random) -> Case:
    amount = random.randint(1, 9_999) * random.choice((100, 1_000, 100_000))
    return "spent", random.choice(
        (f"{amount}", f"UGX {amount:,}", f"{amount}/=", f"{amount / 7}", f"{amount}.0", f"5kg@{amount}")
    )


def _date(random: Random) -> Case:
    day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(1950, 2026)
    return "visited", random.choice(
        (
            f"{year}-{month:02d}-{day:02d}",
            f"{day:02d}/{month:02d}/{year}",
            f"{day:02d}/{month:02d}/{year} 10:30",
            f"{day:02d}.{month:02d}.{year}",
            f"{year}-{month:02d}-{day:02d}T10:30:15.123+03:00",
            f"{year}{month:02d}{day:02d}103015",
            f"{day:02d}-{month:02d}-{year} 07:45:30",
        )
    )


def _decimals(random: Random) -> Case:
    return "measured", random.choice(
        (
            repr(random.uniform(0, 900)),
            repr(random.random()),
            f"{random.uniform(2560, 2570)!r}",
            "8.065999999999999",
            f"{random.uniform(0, 90):.2f}, {random.uniform(0, 90):.2f}",
            f"-{random.random()!r}",
            f"{random.random() * 1e-6!r}",
        )
    )


def _code(random: Random) -> Case:
    return "code", random.choice(
        (
            f"Kan-{_digits(random, 3)}-bwp-{_digits(random, 4)}",
            f"HH-0{_digits(random, 3)}-{_digits(random, 6)}",
            f"35{_digits(random, 13)}",
            f"86{_digits(random, 13)}",
            f"UG/KAN/{_digits(random, 4)}/{_digits(random, 2)}",
            f"0{_digits(random, 4)}",
            " ".join(map(str, sorted(random.sample(range(12), 9)))),
            f"CM{_digits(random, 6)}",
            f"{random.getrandbits(128):032x}",
            f"{random.getrandbits(32):08x}-0772-4123-8456-{random.getrandbits(48):012x}",
            f"collect:{random.getrandbits(64):016x}",
            f"1.{_digits(random, 2)}.{_digits(random, 3)}",
            f"{_digits(random, 10)}".replace("0", "1"),
            f"2026{_digits(random, 8)}",
        )
    )


def _answer(random: Random) -> Case:
    village = random.choice(VILLAGES)
    return random.choice(
        (
            ("village_name", village),
            ("Village Name", village),
            ("crop_name", "Matooke"),
            ("group name", "Tukore"),
            ("phones_owned", "2"),
            ("mobile_money_spent", "1200000"),
            ("latrine_constructed", "1"),
            ("gps_accuracy", "4.85"),
            ("respondent", "wife"),
            ("contact", "yes"),
            ("Respondent Name", "N/A"),
            ("phone", "none"),
            ("distance", "25 km"),
            ("comments", f"the village name is {village}"),
            ("comments", "MR vaccine given"),
            ("comments", "25°C, 30° slope"),
            ("comments", f"{village} S 12, near the well"),
            ("comments", "names are not known"),
            ("nin_seen", "yes"),
            ("comments", "Dr. visit 2 times; 10 - 12 people"),
            ("next_of_kin", "brother"),
            ("comments", "pays 5 @ 200"),
        )
    )


FAMILIES = (
    Family("phone", "Ugandan, in a text", _phone_in_text),
    Family("phone", "of another country", _phone_abroad),
    Family("phone", "in a column that is called so, no leading 0", _phone_by_header),
    Family("email", "in a text", _email),
    Family("national_id", "in a text", _national_id),
    Family("coordinates", "in a text, eleven ways", _coordinates),
    Family("coordinates", "one number in a column that is called so", _coordinates_by_header),
    Family("name", "in a column that is called so", _name_by_header),
    Family("name", "in a text after *Mr*, *my name is*, *Omwami* ...", _name_in_text),
    Family("name", "in a column that is called as a person is", _name_of_person),
    Family("name", "in a column called so in other letters or long", _name_in_other_letters),
    Family("name", "within JSON", _name_within_json),
    Family("phone", "parted, digit by digit, within JSON", _phone_parted),
    Family("phone", "nine digits in a column of a network", _phone_by_network),
    Family("coordinates", "in a text or JSON, seven ways more", _coordinates_otherwise),
    Family("coordinates", "one number, written otherwise, in such a column", _coordinate_otherwise),
    Family("birth_date", "in a column that is called so", _birth_date),
    Family("account", "in a column that is called so", _account),
    Family("registration", "plates anywhere; tax numbers and land titles by their column", _registration),
    Family("name", "bare, in a text", _bare_name),
    Family("name", "bare, in a column that is called otherwise", _bare_elsewhere),
    Family(None, "amounts", _amount),
    Family(None, "dates and times", _date),
    Family(None, "decimals", _decimals),
    Family(None, "identifiers, codes, devices", _code),
    Family(None, "ordinary answers", _answer),
    Family(None, "answers of columns that are called as persons are", _answer_of_person),
    Family(None, "phrases in columns that are called as persons are", _phrase_of_person),
    Family(None, "amounts, measures and JSON beside such columns", _number_beside),
)


def cases(family: Family, count: int, seed: int = 42) -> Iterator[Case]:
    """Made-up cases of a family; the same seed gives the same."""
    random = Random(f"{seed} {family.name}")  # noqa: S311 - nothing is secret here
    return (family.make(random) for _ in range(count))
