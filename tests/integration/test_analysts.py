"""Analysts see no household by name and no small group; partners see their districts."""

import random
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from orchestration.context import Warehouse
from tests.marts_of_households import PLACES, Place, publish_households
from warehouse.errors import ConflictError, NotFoundError, RefusedRequestError
from warehouse.grants import ANALYST, PARTNER, TRANSFORMER, apply_grants, list_grants
from warehouse.partners import add_partner, list_partners, remove_partner

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


@pytest.mark.parametrize("identifying", ["HH-", "sent:", "personal:"])
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
