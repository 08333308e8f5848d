"""A masked copy joins and counts as its source does, and holds nothing of it that could be found again."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from orchestration.context import Warehouse
from orchestration.masked_copy import MESSAGE, Copied, copy_masked, target_settings
from orchestration.masked_times import companies_of, masked_moments
from orchestration.masking import DAYS, NOISE, Masker
from tests.conftest import SAMPLE, cloned_warehouse
from tests.shown_marts import create_as_dbt_does
from warehouse.contract import IDENTIFIER, Field, list_forms, load_contract
from warehouse.embedded import EmbeddedServer
from warehouse.errors import ConflictError, MisuseError

NAMED = (
    "HouseHoldID,District,Cluster,Village,HouseholdSize,survey_date,respondent_name,phone_number,enumerator_id,"
    "device_id,favourite_colour\n"
    "SECRET-HOUSEHOLD,Kanungu,SecretCluster,SecretVillage,5,2026-05-06,Secret Jane,0772123456,SecretPerson,"
    "secret-tablet,secret-colour\n"
    "secret-household ,Kanungu,SecretCluster,secretvillage,secret words,06/05/2026,Secret Jane,0772123456,SecretPerson,"
    "secret-tablet,secret-colour\n"
)
# Names where codes, districts, numbers, rounds and origins of submissions are expected.
ELSEWHERE = (
    "HouseHoldID,District,Village,submission_id,wall_material,head_sex,has_latrine,loan_sources,survey_round,"
    "survey_date,AgricultureLand,phones_owned\n"
    "NAK-00012-OTO-123,Secretland,V,Secret:2024-11-01,Secret,Secretina,Secret,7 21 3,0772,0001-01-03,"
    "772123.45,Secret\n"
    "KAN-00012-OTO-123,0772123456,V,uuid:0199c3a0-7d5e-7aaa-8000-secretsecret,secret,1,yes,772 123 456,2026,"
    "2026-05-06,1.25,3\n"
    "KAN-00013-OTO-123,kanungu,V,Secretsecret:1,1,2,n,1 97,baseline,2026-05-06,2,-99\n"
)
# What came for one household by itself, twice, on the day of the interview.
ALONE = "HouseHoldID,District,Village,survey_date,household_size\nRUB-00099-ABC-1,Rubanda,V,{day},{size}\n"
KNOWN = ("Kanungu", "Mitooma", "Rukungiri", "personal:0123456789abcdef0123456789abcdef")
TODAY = datetime.now(UTC).date()
WHEN = r"[0-9]{4}-[0-9]{2}-[0-9]{2} 12:00:00([.][0-9]{3})?[+]00"
HEX, COUNT = "[0-9a-f]", "[0-9]+"
DIGEST = f"{HEX}{{32}}"
IDENTITY = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SUBMISSION = f"(client|content|correction|given|idempotency|uuid|sent):{DIGEST}"
NUMBER = r"unreadable|9999999|-?[0-9.]{1,7}(e-[0-9]+)?"
# What may stand in each column: a kind that tells nobody, or a digest under the key of the copy.
COLUMNS = {
    "ingestion_id": "ing_[0-9]{8}_[0-9]{6}",
    "form": "household_survey|quarterly_report",
    "form_version": "[0-9.]+",
    "source": "api|file|cli|openrosa",
    "status": "loaded",
    "filename": "file-[0-9a-f]{12}",
    "content_type": "application/json|application/octet-stream|text/(csv|xml)",
    "size_bytes": "[0-9]+000|0",
    "sha256": "[0-9a-f]{64}",
    "client": "client-[0-9a-f]{12}",
    "device": "device-[0-9a-f]{12}",
    "received_at": WHEN,
    "loaded_at": WHEN,
    "submission_key": SUBMISSION,
    "deprecates": SUBMISSION,
    "content_hash": f"{DIGEST}|{IDENTITY}",
    "identity": IDENTITY,
    "row_number": COUNT,
    **dict.fromkeys(("received_rows", "stored_rows", "duplicate_rows", "rejected_rows"), COUNT),
    "reason_code": "row[.][a-z_]+",
    "message": re.escape(MESSAGE),
}
NOT_COPIED = "0|\\[\\]|\\{\\}|"
TABLES = ("ingestions", "household_survey", "quarterly_report", "submission_keys", "repeated_rows", "rejected_rows")
SHAPE = """
with surveys as (
    select upper(btrim(household_id)) as household_id, district, cluster, lower(village) as village
    from raw.household_survey
)

select
    count(*),
    count(distinct household_id),
    count(distinct village),
    count(distinct (district, cluster)),
    count(distinct (household_id, village)),
    (select count(*) from surveys as one inner join surveys as other on one.household_id = other.household_id)
from surveys
"""
QUANTILES = """
select percentile_cont(array[0.1, 0.25, 0.5, 0.75, 0.9]) within group (order by {field}::numeric)
from raw.household_survey where {field} ~ '^[0-9.]+$'
"""
SUMS = """
select max(abs(
    household_income_per_day::double precision * 365 - household_income::double precision
) / greatest(household_income::double precision, 1))
from raw.household_survey where household_income ~ '^[0-9.]+$'
"""


@pytest.fixture(scope="module")
def source(module_warehouse: Warehouse) -> Warehouse:
    """A warehouse with the sample and surveys that are easily recognized."""
    files = {
        "secret-file.csv": NAMED,
        "sample.csv": SAMPLE.read_text(),
        "elsewhere.csv": ELSEWHERE,
        "alone.csv": ALONE.format(day=TODAY, size=4),
        "alone_again.csv": ALONE.format(day=TODAY, size=5),
    }
    for name, content in files.items():
        receive_file(
            module_warehouse.database,
            module_warehouse.store,
            io.BytesIO(content.encode()),
            form="household_survey",
            filename=name,
            source="cli",
        )
        land_next(module_warehouse.database, module_warehouse.store)
    with module_warehouse.database.transaction() as connection:
        create_as_dbt_does(connection, "marts", "rpt_district_summary")
        for district, households in [*((known, 5) for known in KNOWN), ("Rubanda", 4)]:
            statement = "insert into marts.rpt_district_summary (district, households) values (%s, %s)"
            connection.execute(statement, [district, households])
    return module_warehouse


@pytest.fixture(scope="module")
def copied(
    source: Warehouse, test_server: EmbeddedServer, template: str, homes: Path
) -> Iterator[tuple[Warehouse, Copied]]:
    """Its masked copy."""
    with cloned_warehouse(test_server, template, homes) as target:
        yield target, copy_masked(source.database, target.database)


def row(warehouse: Warehouse, statement: str) -> tuple[object, ...]:
    with warehouse.database.transaction() as connection:
        found = connection.execute(statement.encode()).fetchone()
    assert found is not None
    return tuple(found)


def texts(warehouse: Warehouse, table: str) -> list[str]:
    with warehouse.database.transaction() as connection:
        return [text for (text,) in connection.execute(f"select shown::text from raw.{table} as shown".encode())]


def test_rows_and_joins_stay(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    """Two spellings of one household, or of one village, are one."""
    target, counted = copied
    assert counted == Copied(uploads=5, surveys=1507)
    assert row(target, SHAPE) == row(source, SHAPE)


def test_the_ledger_balances(copied: tuple[Warehouse, Copied]) -> None:
    target, _ = copied
    balance = "select sum(stored_rows), (select count(*) from raw.household_survey) from raw.ingestions"
    stored, rows = row(target, balance)
    assert stored == rows
    keys = "select count(*) = (select sum(stored_rows) from raw.ingestions) from raw.submission_keys"
    assert row(target, keys) == (True,)


@pytest.mark.parametrize("field", ["household_size", "household_income", "income_consumption_residues_per_day"])
def test_distributions_stay(source: Warehouse, copied: tuple[Warehouse, Copied], field: str) -> None:
    (before,), (after,) = (row(each, QUANTILES.format(field=field)) for each in (source, copied[0]))
    assert isinstance(before, list)
    assert after == pytest.approx(before, rel=NOISE)


def test_sums_stay_sums(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    assert row(copied[0], SUMS) == pytest.approx(row(source, SUMS), abs=1e-9)


def test_money_is_not_found_again(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    statement = "select household_income from raw.household_survey where household_income ~ '[.][0-9]{6}'"
    with source.database.transaction() as read, copied[0].database.transaction() as written:
        before = {text for (text,) in read.execute(statement.encode())}
        after = {text for (text,) in written.execute(statement.encode())}
    assert len(before) > 1000
    assert not before & after


def test_nothing_is_found_again(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    target, _ = copied
    whole = "\n".join(text for table in TABLES for text in texts(target, table)).lower()
    assert "secret" not in whole
    assert "0772123456" not in whole
    with source.database.transaction() as connection:
        identifying = {
            str(value).lower()
            for columns in connection.execute(
                "select household_id, submission_key, content_hash, enumerator_id, respondent_name, phone_number,"
                " device_id from raw.household_survey"
            )
            for value in columns
            if value
        }
        identifying |= {str(value) for (value,) in connection.execute("select identity from raw.submission_keys")}
        identifying |= {str(value) for (value,) in connection.execute("select ingestion_id from raw.ingestions")}
    words = set(whole.replace('"', ",").replace("(", ",").replace(")", ",").split(","))
    assert len(identifying) > 3000
    assert not identifying & words
    with target.database.transaction() as connection:
        for table in ("raw.personal", "raw.bodies", "review.conflicts"):
            assert connection.execute(f"select 1 from {table}".encode()).fetchone() is None


def kind_of(column: str, field: Field | None) -> str:
    """What may stand in a column."""
    if field is None:
        return COLUMNS.get(column, NOT_COPIED)
    if field.pii:
        return f"personal:{DIGEST}"
    if field.name == IDENTIFIER:
        return f"[A-Z]{{3}}-[0-9]{{5}}-[A-Z]{{3}}-[0-9]{{4}}|HOUSEHOLD {DIGEST}"
    if field.type == "date":
        return "unreadable|[0-9]{4}-[0-9]{2}-[0-9]{2}"
    if field.type in ("integer", "numeric"):
        return r"unreadable|[0-9.e+-]+" if re.search("USD|UGX|currency", field.unit or "") else NUMBER
    known = {
        "boolean": "unreadable|0|1|true|false|yes|no|y|n|t|f",
        "code": "|".join(["unreadable", *field.codes]),
        "multi-code": "unreadable|[0-9]{1,2}( [0-9]{1,2})*",
        "text": "|".join({"district": KNOWN[:3], "survey_round": ("20[0-9]{2}", "baseline")}.get(field.name, ["-"])),
    }
    made = f"|[A-Za-z_]+ {HEX}{{10}}" if field.type == "text" else ""
    return known[field.type] + made


@pytest.mark.parametrize("table", TABLES)
def test_every_value_is_of_a_known_kind_or_made_under_the_key(copied: tuple[Warehouse, Copied], table: str) -> None:
    fields = {field.name: field for field in load_contract(table).fields} if table in list_forms() else {}
    with copied[0].database.transaction() as connection:
        cursor = connection.execute(f"select * from raw.{table}".encode())
        columns = [column.name for column in cursor.description or ()]
        texts = "select {}".format(", ".join(f"{column}::text" for column in columns))
        for found in connection.execute(f"{texts} from raw.{table}".encode()):
            for column, text in zip(columns, found, strict=True):
                kind = kind_of(column, fields.get(column))
                assert text is None or re.fullmatch(kind, text, re.IGNORECASE), (column, text)


def test_answers_keep_their_kind_where_they_are_of_one(copied: tuple[Warehouse, Copied]) -> None:
    with copied[0].database.transaction() as connection:
        rows = connection.execute(
            """
            select
                split_part(submission_key, ':', 1), wall_material, head_sex, has_latrine, loan_sources, phones_owned,
                district = 'kanungu', left(household_id, 3) = 'KAN', upper(left(district, 3)) = left(household_id, 3)
            from raw.household_survey
            inner join raw.ingestions using (ingestion_id)
            where received_rows = 3
            order by row_number
            """
        ).fetchall()
    assert rows == [
        ("sent", "unreadable", "unreadable", "unreadable", "3 7 21", "unreadable", False, False, False),
        ("uuid", "unreadable", "1", "yes", "unreadable", "3", False, True, False),
        ("sent", "1", "2", "n", "1 97", "-99", True, True, True),
    ]


def test_nothing_tells_how_far_dates_went_back(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    """Rows came when their upload came; and between interview and receipt lie as many days as in the source."""
    days = """
    select
        bool_and(household.received_at = upload.received_at and upload.loaded_at >= upload.received_at),
        array_agg(distinct household.received_at::date - household.survey_date::date)
            filter (where household.household_id ~ '[0-9]$' and household.survey_date ~ '^20')
    from raw.household_survey as household
    inner join raw.ingestions as upload on household.ingestion_id = upload.ingestion_id
    """
    (before, delays), (together, masked) = (row(each, days) for each in (source, copied[0]))
    assert isinstance(delays, list)
    assert isinstance(masked, list)
    assert (before, together) == (True, True)
    assert 0 in delays
    assert {*masked} == {*delays}
    exact = "select array_agg(received_at::text) || array_agg(loaded_at::text) from raw.ingestions"
    (moments,), (moved,) = (row(each, exact) for each in (source, copied[0]))
    assert isinstance(moments, list)
    assert isinstance(moved, list)
    assert not {*moments} & {*moved}


def test_what_came_for_a_household_keeps_its_order(copied: tuple[Warehouse, Copied]) -> None:
    sizes = """
    select array_agg(household_size order by received_at), count(distinct survey_date), max(received_at)
    from raw.household_survey
    where household_id in (
        select household_id from raw.household_survey inner join raw.ingestions using (ingestion_id)
        where received_rows = 1
    )
    """
    found = row(copied[0], sizes)
    assert found[:2] == (["4", "5"], 1)
    assert isinstance(found[2], datetime)
    assert timedelta(0) < datetime.now(UTC) - found[2] < timedelta(days=DAYS + 2)


def test_uploads_that_share_a_household_are_moved_together() -> None:
    masker, day = Masker(), datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
    received = {f"upload {number}": day + timedelta(minutes=number) for number in range(40)}
    pairs = [(f"upload {number}", f"household {number % 20}") for number in range(40)]
    moments = masked_moments(masker, received, companies_of(pairs))
    backs = {upload: back for upload, (_, back) in moments.items()}
    assert all(backs[f"upload {number}"] == backs[f"upload {number + 20}"] for number in range(20))
    assert len({*backs.values()}) > 5
    assert all(moment + backs[upload] - day < timedelta(hours=5) for upload, (moment, _) in moments.items())
    assert [*moments] != [*received]
    (one, _), (other, _) = moments["upload 0"], moments["upload 20"]
    assert timedelta(0) < other - one < timedelta(seconds=1)


def test_copies_go_into_empty_warehouses(source: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    with pytest.raises(ConflictError):
        copy_masked(source.database, copied[0].database)
    with pytest.raises(ConflictError):
        copy_masked(source.database, source.database)


def test_addresses_of_other_databases(source: Warehouse) -> None:
    settings = target_settings(source.settings, "postgresql://ann:word@there:6543/trial")
    assert (settings.db_host, settings.db_port, settings.db_name, settings.db_user) == ("there", 6543, "trial", "ann")
    assert settings.db_password == SecretStr("word")
    with pytest.raises(MisuseError):
        target_settings(source.settings, "nowhere at all")


def test_two_copies_do_not_join(source: Warehouse, warehouse: Warehouse, copied: tuple[Warehouse, Copied]) -> None:
    copy_masked(source.database, warehouse.database)
    households = "select array_agg(distinct household_id) from raw.household_survey"
    (one,), (other,) = row(copied[0], households), row(warehouse, households)
    assert isinstance(one, list)
    assert isinstance(other, list)
    assert not {*one} & {*other}
