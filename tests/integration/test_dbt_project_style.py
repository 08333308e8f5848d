"""The dbt project is written as dbt's style guide and dbt-checkpoint ask, and describes each column once."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from tests.dbt_graph import DbtGraph, Node, layer
from warehouse.grants import list_grants

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_{1,2}[a-z0-9]+)*")
REFERENCE = re.compile(r"\{\{-?\s*(?:ref|source)\(")
IMPORT = re.compile(r"\bfrom \{\{ (?:ref|source)\(")
FINAL = re.compile(r"select \* from ([a-z0-9_]+)")
MONEY = re.compile(r"(^|_)(income|profits?|price|cost|expenditure|assets)(_|$)|_value(_|$)")
RANKS = {"boolean": 3, "date": 4, "timestamp with time zone": 5}
COUNTS = {"smallint", "integer", "bigint"}
MEASURES = {"numeric", "double precision"}
TAGS = {"staging", "validated", "features", "marts"}
LONGEST_NAME = 63

pytestmark = pytest.mark.xdist_group("dbt_project")


def columns_of(graph: DbtGraph) -> Iterator[tuple[str, Node]]:
    """The columns of all models, and where they stand."""
    for model in graph.models.values():
        for column in model["columns"].values():
            yield f"{model['name']}.{column['name']}", column


def own_columns(graph: DbtGraph) -> Iterator[tuple[str, Node]]:
    """The columns of all models whose names the project gives; those of the forms are the forms'."""
    for place, column in columns_of(graph):
        if column["name"] not in graph.contract_fields:
            yield place, column


def sql_of(graph: DbtGraph) -> Iterator[tuple[str, str]]:
    """The SQL of every model that is written out, without the Jinja that stands alone."""
    for model in graph.models.values():
        yield model["name"], re.sub(r"\{#.*?#\}", "", model["raw_code"], flags=re.DOTALL).strip()


def test_names_are_in_snake_case(dbt_graph: DbtGraph) -> None:
    columns = [column["name"] for _, column in dbt_graph.described_columns()]
    names = [*columns, *(model["name"] for model in dbt_graph.models.values())]
    assert [name for name in names if not SNAKE_CASE.fullmatch(name)] == []


def test_models_have_one_file_and_their_yaml_beside_it(dbt_graph: DbtGraph) -> None:
    apart = [
        model["name"]
        for model in dbt_graph.models.values()
        if model["patch_path"] != f"kyalo://{model['original_file_path'].removesuffix('.sql')}.yml"
    ]
    assert apart == []


def test_marts_can_be_published_row_by_row(dbt_graph: DbtGraph) -> None:
    """Publication tells the rows of a mart apart by its unique index."""
    without = [
        model["name"]
        for model in dbt_graph.models.values()
        if layer(model) == "marts" and not any(index.get("unique") for index in model["config"]["indexes"])
    ]
    assert without == []


def test_models_say_owner_grain_and_group(dbt_graph: DbtGraph) -> None:
    silent = [
        model["name"]
        for model in dbt_graph.models.values()
        if not (model["group"] and {"owner", "grain"} <= model["config"]["meta"].keys())
    ]
    assert silent == []


def test_every_group_is_used_and_has_an_owner(dbt_graph: DbtGraph) -> None:
    groups = {group["name"]: group["owner"] for group in dbt_graph.manifest["groups"].values()}
    assert {model["group"] for model in dbt_graph.models.values()} == set(groups)
    assert all(owner["name"] for owner in groups.values())


def test_owners_of_models_are_those_of_their_groups(dbt_graph: DbtGraph) -> None:
    owners = {group["name"]: group["owner"]["name"] for group in dbt_graph.manifest["groups"].values()}
    other = [
        model["name"]
        for model in dbt_graph.models.values()
        if model["config"]["meta"].get("owner") != owners.get(model["group"])
    ]
    assert other == []


def test_tags_are_layers(dbt_graph: DbtGraph) -> None:
    assert [name for name, model in dbt_graph.models.items() if model["tags"] != [layer(model)]] == []
    assert {tag for exposure in dbt_graph.exposures.values() for tag in exposure["tags"]} <= TAGS


def test_marts_are_public_and_nothing_in_the_workshop_but_the_features(dbt_graph: DbtGraph) -> None:
    public = {model["name"] for model in dbt_graph.public_models}
    marts = {model["name"] for model in dbt_graph.models.values() if layer(model) == "marts"}
    assert public == marts | {"fct_household_features"}


def test_sources_say_loader_and_owner(dbt_graph: DbtGraph) -> None:
    silent = [
        name for name, node in dbt_graph.sources.items() if not (node["loader"] and node["source_meta"].get("owner"))
    ]
    assert silent == []


def test_exposures_say_whose_they_are_and_how_ripe(dbt_graph: DbtGraph) -> None:
    silent = [
        name
        for name, node in dbt_graph.exposures.items()
        if not (node["description"] and node["label"] and node["maturity"] and node["owner"]["name"])
    ]
    assert silent == []


def test_every_mart_is_read_by_an_exposure_or_a_mart(dbt_graph: DbtGraph) -> None:
    assert [model["name"] for model in dbt_graph.public_models if not dbt_graph.children[model["unique_id"]]] == []


def test_every_analysis_is_described(dbt_graph: DbtGraph) -> None:
    analyses = [node for node in dbt_graph.manifest["nodes"].values() if node["resource_type"] == "analysis"]
    assert analyses
    assert [node["name"] for node in analyses if not node["description"]] == []


def test_every_mart_has_a_unit_test(dbt_graph: DbtGraph) -> None:
    tested = {test["model"] for test in dbt_graph.manifest["unit_tests"].values()}
    marts = {model["name"] for model in dbt_graph.models.values() if layer(model) == "marts"}
    assert marts - tested == set()


def test_the_primary_key_of_a_public_model_cannot_be_null(dbt_graph: DbtGraph) -> None:
    nullable = [
        model["name"]
        for model in dbt_graph.public_models
        if not any(constraint["type"] == "not_null" for constraint in first_column(model)["constraints"])
    ]
    assert nullable == []


def test_the_primary_key_stands_first(dbt_graph: DbtGraph) -> None:
    later = [
        model["name"]
        for name, model in dbt_graph.models.items()
        if first_column(model)["name"] not in key_columns(dbt_graph, name)
    ]
    assert later == []


def first_column(model: Node) -> Node:
    """The first column of a model, a nameless one where none is listed."""
    return next(iter(model["columns"].values()), {"name": "", "constraints": []})


def key_columns(graph: DbtGraph, model: str) -> set[str]:
    """The columns that are unique alone, or else together."""
    tests = [test for test in graph.tests_of(model) if "test_metadata" in test and not test["config"]["where"]]
    alone = {test["column_name"] for test in tests if test["test_metadata"]["name"] == "unique"}
    together = [test["test_metadata"]["kwargs"].get("column_list", []) for test in tests if is_compound_key(test)]
    return alone or {column for columns in together for column in columns}


def is_compound_key(test: Node) -> bool:
    return bool(test["test_metadata"]["name"] == "expect_compound_columns_to_be_unique")


def test_columns_of_marts_are_in_order(dbt_graph: DbtGraph) -> None:
    """Identifiers, strings, numbers, booleans, dates, timestamps."""
    marts = [model for model in dbt_graph.models.values() if layer(model) == "marts"]
    ranks = {model["name"]: [rank(column) for column in model["columns"].values()] for model in marts}
    assert [name for name, found in ranks.items() if found != sorted(found)] == []


def rank(column: Node) -> int:
    if column["name"].endswith("_id"):
        return 0
    return 2 if column["data_type"] in COUNTS | MEASURES else RANKS.get(column["data_type"], 1)


def test_every_column_says_its_type(dbt_graph: DbtGraph) -> None:
    assert [place for place, column in columns_of(dbt_graph) if not column["data_type"]] == []


def test_booleans_and_only_they_ask_a_question(dbt_graph: DbtGraph) -> None:
    wrong = [
        place
        for place, column in own_columns(dbt_graph)
        if (column["data_type"] == "boolean") != column["name"].startswith(("is_", "has_"))
    ]
    assert wrong == []


def test_times_and_dates_say_so(dbt_graph: DbtGraph) -> None:
    wrong = [
        place
        for place, column in columns_of(dbt_graph)
        if (column["data_type"] == "timestamp with time zone") != column["name"].endswith("_at")
        or (column["data_type"] == "date") != column["name"].endswith("_date")
    ]
    assert wrong == []


def test_money_in_marts_says_its_unit(dbt_graph: DbtGraph) -> None:
    marts = [model for model in dbt_graph.models.values() if layer(model) == "marts"]
    unsaid = [
        f"{model['name']}.{column['name']}"
        for model in marts
        for column in model["columns"].values()
        if column["data_type"] in COUNTS | MEASURES
        and MONEY.search(column["name"])
        and not re.search(r"_(usd|ugx)(_|$)", column["name"])
    ]
    assert unsaid == []


def test_every_column_is_described_by_the_block_of_its_name(dbt_graph: DbtGraph) -> None:
    """What a form's contract says of its own fields is where those blocks come from."""
    contracts = {node["name"] for node in dbt_graph.sources.values() if node["name"] == "submissions"}
    apart = [
        place
        for place, column in dbt_graph.described_columns()
        if place.partition(".")[0] not in contracts and column["doc_blocks"] != [f"doc.kyalo.{column['name']}"]
    ]
    assert apart == []


def test_one_name_has_one_kind_of_type(dbt_graph: DbtGraph) -> None:
    """Whole numbers of any width are one kind: a sum is wider than what it sums."""
    kinds = dict.fromkeys(COUNTS, "count") | dict.fromkeys(MEASURES, "measure")
    types: dict[str, set[str]] = defaultdict(set)
    for _, column in columns_of(dbt_graph):
        types[column["name"]].add(kinds.get(column["data_type"], column["data_type"]))
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def test_every_doc_block_is_used(dbt_graph: DbtGraph) -> None:
    used = {block for _, column in dbt_graph.described_columns() for block in column["doc_blocks"]}
    fields = {f"doc.kyalo.{name}" for name in dbt_graph.contract_fields}
    blocks = {name for name, doc in dbt_graph.manifest["docs"].items() if doc["package_name"] == "kyalo"}
    assert blocks - used - fields - {"doc.kyalo.__overview__"} == set()


def test_references_stand_in_import_ctes(dbt_graph: DbtGraph) -> None:
    """A CTE that names a model or a source reads it alone; it joins nothing."""
    astray = [
        (name, cte.strip())
        for name, code in sql_of(dbt_graph)
        for cte in re.split(r"^\),?$", code, flags=re.MULTILINE)
        if REFERENCE.search(cte) and not (len(IMPORT.findall(cte)) == len(REFERENCE.findall(cte)) == 1)
    ]
    assert astray == []


def test_the_last_line_selects_the_final_cte(dbt_graph: DbtGraph) -> None:
    wrong = [name for name, code in sql_of(dbt_graph) if not ends_with_final_cte(code)]
    assert wrong == []


def ends_with_final_cte(code: str) -> bool:
    """Whether it does, or is one call of a macro that writes all of it."""
    last = code.splitlines()[-1]
    found = FINAL.fullmatch(last)
    if found:
        return re.findall(r"^(\w+) as \(", code, flags=re.MULTILINE)[-1:] == [found[1]]
    return code.startswith("{{") and last.endswith("}}") and "select" not in code


def test_no_statement_ends_with_a_semicolon(dbt_graph: DbtGraph) -> None:
    assert [name for name, code in sql_of(dbt_graph) if code.endswith(";")] == []


def test_names_that_are_given_to_tests_fit(dbt_graph: DbtGraph) -> None:
    given = [test["name"] for test in dbt_graph.tests.values() if test["name"] == test["alias"]]
    assert [name for name in given if len(name) > LONGEST_NAME] == []


def test_names_of_tests_are_their_own(dbt_graph: DbtGraph) -> None:
    names = Counter(test["name"] for test in dbt_graph.tests.values())
    assert [name for name, count in names.items() if count > 1] == []


def test_dbt_grants_what_the_list_says(dbt_graph: DbtGraph) -> None:
    """Tables that dbt makes anew at each build get their rights in the transaction that makes them."""
    told = {
        (role, node["config"]["schema"], node["name"])
        for node in dbt_graph.models.values()
        for role in node["config"]["grants"].get("select", [])
    }
    schemas = ("staging", "validated", "features")
    assert told == {(grant.role, grant.schema, grant.table) for grant in list_grants() if grant.schema in schemas}
