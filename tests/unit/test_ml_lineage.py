"""Where the columns of a mart come from, through any SQL that makes them."""

import json
from pathlib import Path

import pytest

from ml.leakage import read_lineage
from ml.leakage.rows import UntraceableError
from tests.dbt_manifests import make_lineage
from warehouse.errors import TrainingError

LEAKS = {
    "named otherwise": "select income as planted from raw.survey",
    "renamed through subqueries": """
        with a as (select * from raw.survey offset 0), b as (select a.*, rent as roof from a)
        select roof / 365 as planted from b
    """,
    "renamed by a list of columns": "with a(planted, x) as (select income, phones from raw.survey) select * from a",
    "in a derived table": "select t.planted from (select s.income as planted from raw.survey as s) as t",
    "cast and coalesced": "select coalesce(income::text, '') || 'USD' as planted from raw.survey",
    "only asked about": "select case when income < 2 then 'tin' else 'grass' end as planted from raw.survey",
    "only whether it is there": "select income is not null as planted from raw.survey",
    "one of two": "select greatest(phones, rent) as planted from raw.survey",
    "the second half of a union": """
        select phones as planted from raw.survey union all select income from raw.survey
    """,
    "a rank": "select rank() over (order by income) as planted from raw.survey",
    "a rank over a named window": "select rank() over w as planted from raw.survey window w as (order by income)",
    "a mean of neighbours": "select avg(income) over (partition by village) as planted from raw.survey",
    "a count of what is filtered": """
        select village, count(*) as planted from raw.survey where income < 2 group by village
    """,
    "a filtered aggregate": "select count(*) filter (where rent > 0) as planted from raw.survey",
    "a row that is there or not": """
        with poor as (select household_id from raw.survey where income < 2)
        select poor.household_id is not null as planted
        from raw.survey left join poor on survey.household_id = poor.household_id
    """,
    "a condition of an outer join": """
        select b.village as planted
        from raw.survey as a left join raw.survey as b on a.household_id = b.household_id and a.income < 2
    """,
    "a scalar subquery": """
        select (select max(b.income) from raw.survey as b where b.household_id = a.household_id) as planted
        from raw.survey as a
    """,
    "a correlated subquery": "select (select income) as planted from raw.survey",
    "a subquery that asks": """
        select exists (select 1 from raw.survey as b where b.village = a.village and b.rent > 9) as planted
        from raw.survey as a
    """,
    "a whole row": "select to_jsonb(s) ->> 'income' as planted from raw.survey as s",
    "all columns of a row": "select md5(row(s.*)::text) as planted from raw.survey as s",
    "a lateral join": """
        select l.planted from raw.survey as s cross join lateral (select s.income * 2 as planted) as l
    """,
    "a list of values": "select v.planted from raw.survey as s, unnest(array[s.phones, s.rent]) as v(planted)",
    "a record made of the row": """
        select r.planted from raw.survey as s, jsonb_to_record(to_jsonb(s)) as r(planted text)
    """,
    "a key of two tables": "select rent as planted from raw.survey join raw.survey as b using (rent)",
    "joined in parentheses": """
        select b.income as planted from (raw.survey as a inner join raw.survey as b on a.village = b.village)
    """,
    "through another model": "select roof as planted from staging.renamed",
    "what a model predicted": "select probability as planted from ml.predictions",
}
MODELS = {"renamed": "with s as (select * from raw.survey) select household_id, 2 * income as roof, phones from s"}

HONEST = {
    "another column": "with a as (select * from raw.survey) select a.phones as planted from a",
    "a filter": "select phones as planted from raw.survey where income > 0",
    "a join": """
        select a.phones as planted from raw.survey as a inner join raw.survey as b on a.income = b.income
    """,
    "a row that is not there yet": """
        select phones as planted from raw.survey as s
        where not exists (select 1 from features.fct_household_features as f where f.planted = s.income)
    """,
    "a count of all": "select count(*) as planted from raw.survey group by village",
    "a name that hides another": "select income from (select phones as income from raw.survey) as s",
    "another column of that model": "select phones as planted from staging.renamed",
    "PostgreSQL's own function": "select pg_catalog.lower(head_sex) as planted from raw.survey",
}

UNTRACEABLE = {
    "no SQL": ("selec income as planted fro raw.survey", "cannot be read"),
    "no query": ("create table x as select 1 as planted", "is no query"),
    "another name": ("select phones from raw.survey", "no such column"),
    "a constant": ("select 1 as planted from raw.survey", "no answer at all"),
    "an unknown table": ("select x.income as planted from raw.elsewhere as x", "raw.elsewhere is no table"),
    "an unknown column": ("select wealth as planted from raw.survey", "has a column wealth"),
    "an unknown name": ("select t.wealth as planted from raw.survey", "t is nothing"),
    "a column that the table lacks": ("select survey.wealth as planted from raw.survey", "no column wealth"),
    "what no contract knows": ("select extras ->> 'x' as planted from raw.survey", "may hold any answer"),
    "a function of ours": ("select features.guess(phones) as planted from raw.survey", "features.guess"),
    "a table of ours": ("select planted from features.guess(1) as g(planted)", "features.guess"),
    "itself": (
        "with recursive a as (select phones as planted from raw.survey union select planted from a) select * from a",
        "a is no table",
    ),
}


@pytest.mark.parametrize("text", LEAKS.values(), ids=LEAKS)
def test_finds_the_way_to_the_target(text: str) -> None:
    way = make_lineage(text, MODELS).find_leak("planted")
    assert way is not None
    assert way[0] == "fct_household_features.planted"
    assert way[-1] in ("survey.income", "survey.rent", "predictions.probability")


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST)
def test_what_only_keeps_rows_out_is_no_leak(text: str) -> None:
    column = "income" if "as income" in text else "planted"
    assert make_lineage(text, MODELS).find_leak(column) is None


@pytest.mark.parametrize(("text", "reason"), UNTRACEABLE.values(), ids=UNTRACEABLE)
def test_says_what_it_cannot_trace(text: str, reason: str) -> None:
    with pytest.raises(UntraceableError, match=reason):
        make_lineage(text).find_leak("planted")


def test_tells_every_step_of_the_way() -> None:
    way = make_lineage(LEAKS["through another model"], MODELS).find_leak("planted")
    assert way == ["fct_household_features.planted", "renamed.roof", "survey.income"]


def test_two_ways_to_read_one_answer_are_told_from_a_leak() -> None:
    staged = """
        with a as (select *, octet_length(income) < 9 as is_plain from raw.survey)
        select
            case when is_plain then phones::integer else trim(phones)::integer end as phones,
            case when is_plain then 'a' else head_sex end as head_sex,
            case when is_plain and radios then 1 else 0 end as radios,
            is_plain
        from a
    """
    lineage = make_lineage("select * from staging.staged", {"staged": staged})
    assert lineage.find_leak("phones") is None
    assert all(lineage.find_leak(column) for column in ("head_sex", "radios", "is_plain"))
    elsewhere = make_lineage(staged)
    assert elsewhere.find_leak("phones") is not None


def test_refuses_a_manifest_without_the_mart(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    for text in (None, "{", json.dumps({"nodes": {}}), json.dumps({"nodes": {}, "sources": {}})):
        if text is not None:
            manifest.write_text(text)
        with pytest.raises(TrainingError, match="kyalo build") as caught:
            read_lineage(manifest)
        assert caught.value.error_code == "ml.no_lineage"


def test_refuses_a_manifest_that_did_not_compile_a_model_on_the_way() -> None:
    lineage = make_lineage(LEAKS["through another model"], {"renamed": ""})
    with pytest.raises(TrainingError, match="no SQL of renamed") as caught:
        lineage.find_leak("planted")
    assert caught.value.error_code == "ml.no_lineage"
