"""The dbt models on crafted surveys: casts, rules, collisions, corrections, features."""

from typing import Any

import pytest

from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from tests.asking import ask
from tests.dbt_selections import WITHOUT_TESTS
from tests.surveys import load_text
from warehouse.errors import BuildError

pytestmark = [pytest.mark.xdist_group("models"), pytest.mark.timeout(300)]

HEADER = (
    "household_id,district,village,household_size,phones_owned,business_count,composting,has_latrine,loan_sources,"
    "survey_date,survey_round,consent,agricultural_land_acres,agricultural_value,household_income,"
    "income_consumption_residues_per_day"
)
FIRST = f"""{HEADER}
kan-001-aaa-1,Kanungu,V1,5,2,1,0.5,1,1 7,2026-02-28,,true,2,100,730,2.15
KAN-001-AAA-2,Kanungu,V1,5.0,-99,`,1.0,yes,97  99,2026-02-30,,,0,100,0,1.77
KAN-001-AAA-3,Kanungu,V1,1e3,2.5,NaN,0x1F,maybe,none,tomorrow,,,nan,1_000,abc,1.25
KAN-001-AAA-4,Kanungu,V1,4,1,0,0,0,,,2026,no,1,1,1,1
KAN-001-AAA-5,Kanungu,V1,4,1,0,0,0,,,2026,,1,1,1,1.2
Kan-001-aaa-5,Kanungu,V1,6,1,0,0,0,,,2026,,1,1,1,1.3
KAN-001-AAA-6,Kanungu,V1,400,1,0,0,0,,,2026,,1,1,1,1.3
KAN-001-AAA-7,Kanungu,V1,4,1,0,0,0,,2999-01-01,2026,,1,1,1,1.3
KAN-001-AAA-8,,V1,4,1,0,0,0,,,2026,,1,1,1,1.3
KAN-001-AAA-9,Kanungu,V1,3,1,0,0,0,,,2026,,1,1,1,0.5
KAN-001-AAA-10,Kanungu,V1,4,1,0,0,0,"1,2",,2026,,1,1,1,1.3
KAN-001-AAA-12,Kanungu,V1,4,1,0,0,0,,2026-01-01,2026,yes,1,1,1,1.3
KAN-001-AAA-11,Mbarara,City Market,4,1,0,0,0,,,2026 1,,1,1,1,1.3
KAN-001-AAA-11 2026,Mbarara City,Market,4,1,0,0,0,,,1,,1,1,1,1.3
"""
CORRECTION = f"""{HEADER}
KAN-001-AAA-9,Kanungu,V1,4,1,0,0,0,,,2026,,1,1,1,2.5
KAN-001-AAA-12,Kanungu,V1,4,1,0,0,0,,2026-02-01,2027,no,1,1,1,1.3
KAN-001-AAA-5,Mitooma,V9,2,1,0,0,0,,,2027,,1,1,1,1.2
"""
ASKED = (
    "submission_id,household_id,district,village,household_size,survey_round,consent\n"
    "asked,KAN-001-AAA-13,Kanungu,V1,4,2026,"
)
RELEASE = """
insert into review.decisions (submission_id, decision, rules, decided_by, reason)
select submission_id, 'release', failed_rules, 'office', 'a boarding house'
from marts_next.fct_quarantined_submissions
where household_id in ('KAN-001-AAA-4', 'KAN-001-AAA-6')
"""
# Surveys in which nothing is wrong, so that no gate stops the others.
CLEAN = "".join(f"KAN-002-AAA-{number},Kanungu,V2,4,,,,,,,2026,,,,,\n" for number in range(4000))


@pytest.fixture(scope="module")
def built(module_warehouse: Warehouse) -> Warehouse:
    """The warehouse after a load, a build, a correction, a decision, a change of rules and an incremental build."""
    with Dbt(module_warehouse) as dbt:
        load_text(module_warehouse, FIRST + CLEAN)
        load_text(module_warehouse, f"{ASKED}yes\n")
        dbt.build(*WITHOUT_TESTS)
        load_text(module_warehouse, CORRECTION)
        load_text(module_warehouse, f"{ASKED}no\n")
        with module_warehouse.database.transaction() as connection:
            connection.execute(RELEASE)
            connection.execute("update validated.int_submissions_evaluated set rule_set = 'older', failed_rules = '{}'")
        dbt.build()
    return module_warehouse


def one(warehouse: Warehouse, columns: str, table: str, household: str, order: str = "1") -> tuple[Any, ...]:
    with warehouse.database.transaction() as connection:
        statement = f"select {columns} from {table} where household_id = 'KAN-001-AAA-{household}' order by {order}"
        row = connection.execute(statement).fetchone()  # type: ignore[call-overload]
    assert row, f"no household {household} in {table}"
    return tuple(row)


STAGED = "staging.stg_household_survey__submissions"


def test_values_are_typed(built: Warehouse) -> None:
    columns = (
        "household_size, phones_owned, composting, has_latrine, loan_sources, survey_date::text, cast_error_columns"
    )
    assert one(built, columns, STAGED, "1") == (5, 2, 0.5, True, "1 7", "2026-02-28", [])


def test_sentinel_is_null_and_stray_character_a_cast_error(built: Warehouse) -> None:
    columns = "household_size, phones_owned, business_count, has_latrine, loan_sources, survey_date, cast_error_columns"
    expected = (5, None, None, True, "97 99", None, ["business_count", "survey_date"])
    assert one(built, columns, STAGED, "2") == expected


def test_what_postgresql_would_take_but_is_no_answer_is_null(built: Warehouse) -> None:
    (errors,) = one(built, "cast_error_columns", STAGED, "3")
    assert set(errors) == {
        "household_size", "phones_owned", "business_count", "composting", "has_latrine", "loan_sources", "survey_date",
        "agricultural_land_acres", "agricultural_value", "household_income",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("household", "rules"),
    [
        ("3", ["household_size_required"]),
        ("4", ["consent_refused"]),
        ("5", ["identifier_collision"]),
        ("6", ["household_size_out_of_range"]),
        ("7", ["survey_date_in_future"]),
        ("8", ["district_required"]),
    ],
)
def test_bad_rows_go_to_quarantine_with_their_reason(built: Warehouse, household: str, rules: list[str]) -> None:
    failed, reasons = one(built, "failed_rules, reasons", "validated.int_quarantined_submissions", household)
    assert failed == rules
    assert [reason["rule"] for reason in reasons] == rules
    assert all(reason["message"] for reason in reasons)


def test_list_of_codes_is_parted_by_blanks_whatever_stands_beside_it(built: Warehouse) -> None:
    columns = "loan_sources, cast_error_columns, unreadable_values"
    assert one(built, columns, STAGED, "10") == (None, ["loan_sources"], {"loan_sources": "1,2"})


def test_keys_of_several_columns_do_not_collide(built: Warehouse) -> None:
    table = "validated.fct_households"
    assert one(built, "household_round_id", table, "11") == ("KAN-001-AAA-11/2026 1",)
    assert one(built, "household_round_id", table, "11 2026") == ("KAN-001-AAA-11 2026/1",)
    with built.database.transaction() as connection:
        villages = "select village_id from marts_next.rpt_village_priorities where district like 'Mbarara%' order by 1"
        assert connection.execute(villages).fetchall() == [("Mbarara City/Market",), ("Mbarara/City Market",)]


def test_value_that_a_reviewer_let_pass_reaches_the_marts(built: Warehouse) -> None:
    columns = "household_size, waived_rules"
    assert one(built, columns, "validated.fct_households", "6") == (400, ["household_size_out_of_range"])


def test_changed_rules_judge_what_others_judged(built: Warehouse) -> None:
    with built.database.transaction() as connection:
        sets = "select count(distinct rule_set), bool_or(rule_set = 'older') from validated.int_submissions_evaluated"
        assert connection.execute(sets).fetchone() == (1, False)


def test_both_rows_of_a_collision_are_held(built: Warehouse) -> None:
    table = "validated.int_quarantined_submissions"
    assert one(built, "count(*)", table, "5") == (2,)


def test_same_household_in_another_round_is_no_collision(built: Warehouse) -> None:
    assert one(built, "survey_round, district", "validated.fct_households", "5") == ("2027", "Mitooma")


def test_later_submission_supersedes(built: Warehouse) -> None:
    table = "validated.fct_households"
    assert one(built, "count(*), max(household_size)", table, "9") == (1, 4)
    with built.database.transaction() as connection:
        row = connection.execute("select sum(superseded_submissions) from marts_next.rpt_ingestions").fetchone()
    assert row == (1,)


def test_round_is_the_year_of_the_survey_where_none_was_sent(built: Warehouse) -> None:
    assert one(built, "survey_round", "validated.fct_households", "1") == ("2026",)
    assert one(built, "survey_round", "validated.fct_households", "2") == ("undated",)


def test_features_handle_no_land_and_no_income(built: Warehouse) -> None:
    columns = "agricultural_productivity, farm_income_dependency, income_per_capita, loan_source_count, has_loan"
    assert one(built, columns, "features.fct_household_features", "2") == (None, None, 0.0, 2, True)


def test_status_is_cut_at_the_lines(built: Warehouse) -> None:
    columns = "progress_status, is_vulnerable, household_size_category"
    table = "features.fct_household_features"
    assert one(built, columns, table, "1") == ("on_track", False, "medium")
    assert one(built, columns, table, "2") == ("at_risk", False, "medium")


def test_conservation_holds(built: Warehouse) -> None:
    with built.database.transaction() as connection:
        row = connection.execute(
            "select (select count(*) from raw.household_survey), sum(released_submissions), "
            "sum(quarantined_submissions), sum(superseded_submissions), "
            "sum(held_submissions) from marts_next.rpt_ingestions"
        ).fetchone()
    assert row
    assert row[0] == sum(row[1:]) == 4018


def test_nobody_but_the_household_takes_its_refusal_back(built: Warehouse) -> None:
    columns = "failed_rules, waived_rules, decision"
    assert one(built, columns, "validated.int_submissions_judged", "4") == (["consent_refused"], [], "release")


def test_what_a_household_said_before_it_refused_counts_no_more(built: Warehouse) -> None:
    table = "validated.int_quarantined_submissions"
    assert one(built, "array_agg(failed_rules[1] order by survey_round)", table, "12") == (
        ["consent_withdrawn", "consent_refused"],
    )
    with built.database.transaction() as connection:
        for relation in ("validated.fct_households", "features.fct_household_features", "marts_next.dim_households"):
            counted = f"select count(*) from {relation} where household_id = 'KAN-001-AAA-12'"
            assert connection.execute(counted.encode()).fetchone() == (0,)


def test_upload_that_lands_meanwhile_waits_and_a_lost_row_is_found(built: Warehouse) -> None:
    tests = ("--select", "stg_household_survey__submissions", "--resource-type", "test")
    load_text(built, f"{HEADER}\nKAN-001-AAA-20,Kanungu,V1,4,1,0,0,0,,,2026,,1,1,1,1.3\n")
    with Dbt(built) as dbt:
        dbt.build(*tests)
        with built.database.transaction() as connection:
            connection.execute(f"delete from {STAGED} where household_id = 'KAN-001-AAA-10'".encode())
        with pytest.raises(BuildError, match="staged_whole"):
            dbt.build(*tests)


def test_a_refusal_is_heard_under_the_name_of_a_stored_survey(built: Warehouse) -> None:
    assert one(built, "failed_rules", "validated.int_quarantined_submissions", "13") == (["consent_withdrawn"],)
    assert ask(built, "select count(*) from marts_next.dim_households where household_id = 'KAN-001-AAA-13'") == [(0,)]
