"""Analysts see no household by name and no small group; partners see their districts."""

import random
import re
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from orchestration.analyst_views import OWN_COLUMNS
from orchestration.context import Warehouse
from tests.marts_of_households import PLACES, Place, publish_households
from tests.processes import run
from warehouse.address import Address
from warehouse.errors import ConflictError, NotFoundError, RefusedRequestError
from warehouse.grants import ANALYST, PARTNER, TRANSFORMER, apply_grants, list_grants
from warehouse.partners import add_partner, list_partners, partner_url, remove_partner

VIEWS_OF_PARTNERS = sorted(grant.table for grant in list_grants() if grant.role == PARTNER)
SIZES = (1, 2, 3, 4, 5, 6, 7, 12, 30)


@pytest.fixture(scope="module")
def published(module_warehouse: Warehouse) -> Warehouse:
    """A warehouse with published marts of few households."""
    publish_households(module_warehouse, PLACES)
    return module_warehouse


@pytest.fixture
def partner(published: Warehouse) -> Iterator[tuple[str, str]]:
    """The login and the password of a partner in Kanungu."""
    yield add_partner(published.database, "in_kanungu", ["Kanungu"])
    remove_partner(published.database, "in_kanungu")


def rows_as(connection: psycopg.Connection, role: str, statement: str) -> list[tuple[object, ...]]:
    """What a role sees."""
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        return connection.execute(statement.encode()).fetchall()


def test_analysts_see_pseudonyms_that_join(published: Warehouse) -> None:
    with published.database.transaction() as connection:
        (found,) = rows_as(
            connection,
            ANALYST,
            """
            select
                count(*),
                count(distinct households.household_id),
                bool_and(households.household_id ~ '^[0-9a-f]{64}$')
            from analyst.dim_households as households
            inner join analyst.fct_household_risk as risk on households.household_id = risk.household_id
            inner join analyst.fct_quarantined_submissions as kept on households.household_id = kept.household_id
            """,
        )
        households = sum(place.households for place in PLACES)
        assert found == (households, households, True)


@pytest.mark.parametrize("identifying", ["HH-", "sent:", "kept:", "report:", "personal:", "values"])
def test_no_view_of_analysts_holds_an_identifier(published: Warehouse, identifying: str) -> None:
    with published.database.transaction() as connection:
        for (view,) in connection.execute("select viewname from pg_views where schemaname = 'analyst'").fetchall():
            statement = f"select count(*) from analyst.{view} as shown where strpos(shown::text, '{identifying}') > 0"
            assert rows_as(connection, ANALYST, statement) == [(0,)], view


def test_a_function_of_the_asker_sees_no_more_than_the_view_shows(published: Warehouse) -> None:
    """A cheap function in the condition is not asked about rows that the view leaves out."""
    with published.database.transaction() as connection, connection.transaction(force_rollback=True):
        options = connection.execute(
            "select distinct reloptions from pg_class where relnamespace = 'analyst'::regnamespace and relkind = 'v'"
        )
        assert options.fetchall() == [(["security_barrier=true"],)]
        connection.execute(
            "create function public.tell(text) returns boolean language plpgsql cost 0.0001 as"
            " $$ begin if $1 ~ 'Mitooma' then raise exception 'seen'; end if; return true; end $$"
        )
        connection.execute("grant usage on schema public to public")
        connection.execute(
            "insert into ops.partner_districts (role_name, district) values ('kyalo_partner', 'Kanungu')"
        )
        for view in VIEWS_OF_PARTNERS:
            rows_as(connection, PARTNER, f"select * from analyst.{view} as shown where public.tell(shown::text)")


def test_no_upload_of_few_households_is_told(published: Warehouse) -> None:
    """A survey that came by itself would show its household's district beside its prediction."""
    with published.database.transaction() as connection:
        for view in ("rpt_ingestions", "fct_batch_quality", "fct_batch_quality_by_district"):
            told = {name for (name,) in rows_as(connection, ANALYST, f"select ingestion_id from analyst.{view}")}
            districts = {"ing_Kanungu", "ing_Rukungiri"}
            hidden = {"ing_Mitooma"} if view != "fct_batch_quality_by_district" else set()
            assert told == {"ing_all"} | districts | hidden, view
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                rows_as(connection, ANALYST, f"select 1 from marts.{view}")
        districts_of_all = rows_as(
            connection,
            ANALYST,
            "select district, submissions from analyst.fct_batch_quality_by_district where ingestion_id = 'ing_all'",
        )
    assert sorted(districts_of_all) == [("Kanungu", 41), ("Rukungiri", 30)]  # Rubanda's two would follow from Mitooma's


def test_what_an_upload_s_rest_would_tell_is_left_out(warehouse: Warehouse) -> None:
    """Of made-up uploads: what the districts that are shown leave over is none, or five submissions at least."""
    chance = random.Random(21)  # noqa: S311 - made-up households
    publish_households(warehouse, [Place(f"D{number}", "C", "V", 100) for number in range(6)])
    parts = [(f"ing_{upload}", f"D{district}", chance.choice(SIZES)) for upload in range(60) for district in range(6)]
    parts = [part for part in parts if chance.random() < 0.5]
    with warehouse.database.transaction() as connection, connection.transaction(force_rollback=True):
        connection.execute("delete from marts.fct_batch_quality_by_district")
        connection.cursor().executemany(
            "insert into marts.fct_batch_quality_by_district (batch_district_id, ingestion_id, district, submissions,"
            " rejected_submissions, flagged_submissions) values (%s || %s, %s, %s, %s, 0, 0)",
            [(upload, district, upload, district, size) for upload, district, size in parts],
        )
        shown = rows_as(
            connection, ANALYST, "select ingestion_id, submissions from analyst.fct_batch_quality_by_district"
        )
    for upload in {upload for upload, _, _ in parts}:
        sizes = [size for one, _, size in parts if one == upload]
        told = [int(str(size)) for one, size in shown if one == upload]
        left = sum(sizes) - sum(told)
        assert all(size >= 5 for size in told)
        assert left == 0 or left >= 5 or not told
        assert left or min(sizes) >= 5


@pytest.mark.parametrize("view", ["rpt_ingestions", "fct_batch_quality", "rpt_data_quality", "dim_quality_rules"])
def test_counts_under_five_and_their_rests_are_blank(published: Warehouse, view: str) -> None:
    with published.database.transaction() as connection, connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(ANALYST)))
        cursor = connection.execute(f"select * from analyst.{view}".encode())
        counts = [
            (number, column.name)
            for number, column in enumerate(cursor.description or ())
            if column.name.endswith(("submissions", "households"))
        ]
        rows = cursor.fetchall()
    assert rows
    assert counts
    for row in rows:
        told = {name: int(row[number]) for number, name in counts if row[number] is not None}
        assert not {1, 2, 3, 4} & {*told.values()}, row
        whole = told.get("submissions", told.get("staged_submissions", 0))
        assert not whole or not {whole - few for few in range(1, 5)} & {*told.values()}, row


def test_no_view_tells_a_moment(published: Warehouse) -> None:
    """A moment joins a household with the upload that came then, or the run that scored it."""
    with published.database.transaction() as connection:
        moments = connection.execute(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = 'analyst' and data_type like 'timestamp%'"
        ).fetchall()
        described = connection.execute(
            "select attname, col_description(attrelid, attnum)"
            " from pg_attribute inner join pg_class on attrelid = pg_class.oid"
            " where relnamespace = 'analyst'::regnamespace and attname = any(%s)",
            [[*OWN_COLUMNS]],
        ).fetchall()
    assert moments == []
    assert {(column, text) for column, text in described} == {*OWN_COLUMNS.items()}


def test_coordinates_are_coarse(published: Warehouse) -> None:
    with published.database.transaction() as connection:
        places = rows_as(
            connection,
            ANALYST,
            "select distinct village_latitude, village_longitude from analyst.rpt_village_locations",
        )
        assert places == [(-0.9, 29.7)]


def test_small_groups_have_no_numbers(published: Warehouse) -> None:
    with published.database.transaction() as connection:
        villages = rows_as(
            connection, ANALYST, "select village, households, is_suppressed from analyst.rpt_village_priorities"
        )
        clusters = rows_as(
            connection,
            ANALYST,
            "select cluster, households, is_suppressed from analyst.rpt_cluster_summary where district = 'Kanungu'",
        )
        districts = rows_as(connection, ANALYST, "select district, households from analyst.rpt_district_summary")
    # C is too small, and the next one goes with it; West and Rubanda likewise.
    assert {row for row in villages if not row[2]} == {("A", 12, False), ("J", 30, False)}
    assert {row[0]: row[1] for row in clusters} == {"North": 22, "South": None, "West": None}
    assert {row[0]: row[1] for row in districts} == {
        "Kanungu": 41,
        "Mitooma": None,
        "Rubanda": None,
        "Rukungiri": 30,
    }
    assert all((row[1] is None) == row[2] for row in [*villages, *clusters])


def test_rows_of_households_do_not_tell_of_small_places(published: Warehouse) -> None:
    with published.database.transaction() as connection:
        for view in ("dim_households", "fct_household_risk"):
            shown = rows_as(
                connection, ANALYST, f"select district, cluster, village, count(*) from analyst.{view} group by 1, 2, 3"
            )
            assert ("Kanungu", "North", "A", 12) in shown
            assert not {"B", "C", "E", "F", "G", "H", "I"} & {row[2] for row in shown}
            assert not {"Mitooma", "Rubanda", "South", "West"} & {name for row in shown for name in row}
            assert all(count >= 5 for *_, count in shown)


def test_hidden_numbers_do_not_follow_from_totals(warehouse: Warehouse) -> None:
    """Of many made-up countries: what a total leaves over is never one group alone, nor fewer than five households."""
    chance = random.Random(20)  # noqa: S311 - made-up households
    for _ in range(4):
        places = [
            Place(f"D{district}", f"D{district}C{cluster}", f"V{district}{cluster}{village}", chance.choice(SIZES))
            for district in range(5)
            for cluster in range(chance.randint(1, 4))
            for village in range(chance.randint(1, 5))
        ]
        publish_households(warehouse, places)
        with warehouse.database.transaction() as connection:
            hidden = {
                tuple(row) for row in connection.execute("select district, cluster, village from ops.small_groups")
            }
        check_hidden(places, hidden)


def check_hidden(places: list[Place], hidden: set[tuple[str, str, str]]) -> None:
    """Look at every total that is shown, and at what it is the sum of."""
    sizes: dict[tuple[str, str, str], dict[tuple[str, str, str], int]] = {}
    for place in places:
        district = (place.district, "", "")
        cluster = (place.district, str(place.cluster), "")
        village = (place.district, "", str(place.village))
        for total, part in ((("", "", ""), district), (district, cluster), (cluster, village)):
            parts = sizes.setdefault(total, {})
            parts[part] = parts.get(part, 0) + place.households
    for total, parts in sizes.items():
        assert all(part in hidden for part, size in parts.items() if size < 5)
        left = [size for part, size in parts.items() if part in hidden]
        if total in hidden:
            assert len(left) == len(parts)
        elif left:
            assert len(parts) == 1 or (len(left) >= 2 and sum(left) >= 5)


@pytest.mark.parametrize("view", VIEWS_OF_PARTNERS)
def test_partners_see_their_districts_alone(published: Warehouse, partner: tuple[str, str], view: str) -> None:
    with published.database.transaction() as connection:
        assert rows_as(connection, PARTNER, f"select * from analyst.{view}") == []
        whole = rows_as(connection, ANALYST, f"select * from analyst.{view}")
        own = rows_as(connection, partner[0], f"select * from analyst.{view}")
        seen = rows_as(connection, partner[0], f"select distinct district from analyst.{view}")
        statement = f"select * from analyst.{view} where district = 'Kanungu'"
        assert sorted(map(repr, own)) == sorted(map(repr, rows_as(connection, ANALYST, statement)))
    assert seen == [("Kanungu",)]
    assert 0 < len(own) < len(whole)


def test_a_partner_signs_in_and_is_cut_off(published: Warehouse) -> None:
    database = published.database
    role, password = add_partner(database, "visitor", ["Kanungu"])
    assert [(one.role_name, one.districts) for one in list_partners(database)] == [(role, ["Kanungu"])]
    address = {**database.address(), "user": role, "password": password}
    connection = psycopg.connect(**address, autocommit=True)
    assert connection.execute("select distinct district from analyst.dim_households").fetchall() == [("Kanungu",)]
    for refused in (
        "select 1 from marts.dim_households",
        "select 1 from marts.rpt_ingestions",
        "select 1 from ops.pseudonym_key",
        "select 1 from ops.partner_districts",
        "insert into ops.partner_districts (role_name, district) values (current_user, 'Mitooma')",
        "set role kyalo_analyst",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            connection.execute(refused.encode())
    remove_partner(database, "visitor")
    with pytest.raises(psycopg.OperationalError):
        connection.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(**address)
    assert list_partners(database) == []


def test_a_partner_is_told_how_to_connect(published: Warehouse) -> None:
    """The line that the operator passes on works as it stands, and the password is said once."""
    made = run(published, "partners", "add", "told", "--district", "Kanungu")
    try:
        password = re.findall(r"^password +(\S+)$", made.stdout, re.MULTILINE)[0]
        url = re.findall(r"psql '([^']+)'", made.stdout)[0]
        assert made.stdout.count(password) == 1
        assert "from this machine alone" in made.stdout
        with psycopg.connect(url, password=password) as connection:
            seen = connection.execute("select distinct district from analyst.dim_households").fetchall()
        assert seen == [("Kanungu",)]
    finally:
        remove_partner(published.database, "told")


@pytest.mark.parametrize("host", ["db.example.org", "::1", "/var/run/a place"])
def test_any_address_is_one_that_programs_read(host: str) -> None:
    address = Address(host=host, port=5433, dbname="kyalo & co", user="owner", password="hidden", sslmode="verify-full")  # noqa: S106 - made up
    told = partner_url(address, "partner_care")
    assert "hidden" not in told
    assert conninfo_to_dict(told) == {
        "user": "partner_care", "host": host, "port": "5433", "dbname": "kyalo & co", "sslmode": "verify-full"
    }  # fmt: skip


def test_partners_that_cannot_be(published: Warehouse, partner: tuple[str, str]) -> None:
    database = published.database
    with pytest.raises(ConflictError):
        add_partner(database, partner[0].removeprefix("partner_"), ["Kanungu"])
    for name, district in (("Bad Name", "Kanungu"), ("other", "Nowhere")):
        with pytest.raises(RefusedRequestError):
            add_partner(database, name, [district])
    with pytest.raises(NotFoundError):
        remove_partner(database, "other")


def test_views_stay_while_rows_change_and_come_again_when_columns_do(published: Warehouse) -> None:
    view = "select 'analyst.dim_households'::regclass::oid, md5(pg_get_viewdef('analyst.dim_households'))"
    with published.database.transaction() as connection:
        before = connection.execute(view).fetchone()
    publish_households(published, [*PLACES, Place("Kanungu", "North", "A", 0)])
    with published.database.transaction() as connection:
        assert connection.execute(view).fetchone() == before
        connection.execute("alter table marts.dim_households add column of_the_past text")
    publish_households(published, PLACES)
    with published.database.transaction() as connection:
        after = connection.execute(view).fetchone()
        assert after is not None
        assert before is not None
        assert (after[0] != before[0], after[1]) == (True, before[1])
        assert apply_grants(connection) == 0
        options = connection.execute(
            "select relrowsecurity and relforcerowsecurity from pg_class where oid = 'marts.dim_households'::regclass"
        ).fetchone()
    assert options == (True,)


def test_who_reads_the_marts_alone_sees_all_rows(published: Warehouse) -> None:
    """Policies are about partners: the dashboard and readers with rights of their own see what they saw before."""
    with published.database.transaction() as connection, connection.transaction(force_rollback=True):
        connection.execute("create role kyalo_test_reader")
        connection.execute("grant usage on schema marts to kyalo_test_reader")
        connection.execute("grant select on marts.dim_households to kyalo_test_reader")
        for role in ("kyalo_test_reader", "kyalo_dashboard", TRANSFORMER):
            counted = rows_as(connection, role, "select count(*) from marts.dim_households")
            assert counted == [(sum(place.households for place in PLACES),)]
