"""The rules of dbt's project evaluator hold in the dbt project, every one and without exception."""

from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from tests.dbt_graph import DbtGraph, Node, layer

PREFIXES = {
    "staging": ("stg_",),
    "validated": ("int_", "fct_"),
    "features": ("fct_",),
    "marts": ("fct_", "dim_", "rpt_"),
}
STORED = {"table", "incremental"}
LEAVES_BELOW = 3
PARENTS_BELOW = 7
VIEWS_IN_A_ROW = 5

pytestmark = pytest.mark.xdist_group("dbt_project")


def names(graph: DbtGraph, *identifiers: str) -> str:
    """The names of models, sources and exposures, as a finding shows them."""
    nodes = {**graph.models, **graph.sources, **graph.exposures}
    return " -> ".join(nodes[identifier]["name"] for identifier in identifiers)


def models_of(graph: DbtGraph, *layers: str) -> list[str]:
    return [name for name, model in graph.models.items() if layer(model) in layers]


def test_a_model_reads_models_or_a_source(dbt_graph: DbtGraph) -> None:
    """fct_direct_join_to_source."""
    both = [name for name in dbt_graph.models if dbt_graph.parents(name, "model") and dbt_graph.parents(name, "source")]
    assert both == []


def test_only_staging_reads_sources(dbt_graph: DbtGraph) -> None:
    """fct_marts_or_intermediate_dependent_on_source."""
    readers = models_of(dbt_graph, "validated", "features", "marts")
    assert [name for name in readers if dbt_graph.parents(name, "source")] == []


def test_one_source_for_each_table(dbt_graph: DbtGraph) -> None:
    """fct_duplicate_sources."""
    tables = Counter((node["schema"], node["identifier"]) for node in dbt_graph.sources.values())
    assert [table for table, count in tables.items() if count > 1] == []


def test_no_relation_is_named_outside_its_reference(dbt_graph: DbtGraph) -> None:
    """fct_hard_coded_references."""
    schemas = {node["schema"] for node in [*dbt_graph.models.values(), *dbt_graph.sources.values()]}
    named = [
        (model["name"], line.strip())
        for model in dbt_graph.models.values()
        for line in model["raw_code"].splitlines()
        if any(word.partition(".")[0] in schemas and "." in word for word in relations_read(line))
    ]
    assert named == []


def relations_read(line: str) -> list[str]:
    return [after for before, after in pairwise(line.lower().split()) if before in {"from", "join"}]


def test_few_children_of_a_model_are_leaves(dbt_graph: DbtGraph) -> None:
    """fct_model_fanout."""
    leaves = {
        name: [child for child in children if child in dbt_graph.models and not dbt_graph.children[child]]
        for name, children in dbt_graph.children.items()
    }
    assert {name: found for name, found in leaves.items() if len(found) >= LEAVES_BELOW} == {}


def test_a_model_reads_one_source_at_most(dbt_graph: DbtGraph) -> None:
    """fct_multiple_sources_joined."""
    assert [name for name in dbt_graph.models if len(dbt_graph.parents(name, "source")) > 1] == []


def test_no_model_between_serves_only_a_reader_of_its_own_parent(dbt_graph: DbtGraph) -> None:
    """fct_rejoining_of_upstream_concepts."""
    loops = [
        names(dbt_graph, parent, between, child)
        for parent, children in dbt_graph.children.items()
        for between in children & dbt_graph.models.keys()
        for child in dbt_graph.children[between]
        if child in children and child in dbt_graph.models and len(dbt_graph.children[between]) == 1
    ]
    assert loops == []


def test_no_model_is_without_parents(dbt_graph: DbtGraph) -> None:
    """fct_root_models."""
    assert [name for name, model in dbt_graph.models.items() if not model["depends_on"]["nodes"]] == []


def test_a_source_feeds_one_model(dbt_graph: DbtGraph) -> None:
    """fct_source_fanout."""
    assert [name for name in dbt_graph.sources if len(dbt_graph.children[name]) > 1] == []


def test_staging_reads_no_later_layer(dbt_graph: DbtGraph) -> None:
    """fct_staging_dependent_on_marts_or_intermediate."""
    later = set(models_of(dbt_graph, "validated", "features", "marts"))
    assert [name for name in models_of(dbt_graph, "staging") if later & set(dbt_graph.parents(name, "model"))] == []


def test_staging_reads_no_staging(dbt_graph: DbtGraph) -> None:
    """fct_staging_dependent_on_staging."""
    staging = set(models_of(dbt_graph, "staging"))
    assert [name for name in staging if staging & set(dbt_graph.parents(name, "model"))] == []


def test_every_source_is_used(dbt_graph: DbtGraph) -> None:
    """fct_unused_sources."""
    assert [name for name in dbt_graph.sources if not dbt_graph.children[name]] == []


def test_a_model_has_few_parents(dbt_graph: DbtGraph) -> None:
    """fct_too_many_joins."""
    parents = {name: len(model["depends_on"]["nodes"]) for name, model in dbt_graph.models.items()}
    assert {name: count for name, count in parents.items() if count >= PARENTS_BELOW} == {}


def test_every_model_has_a_tested_primary_key(dbt_graph: DbtGraph) -> None:
    """fct_missing_primary_key_tests."""
    assert [name for name in dbt_graph.models if not has_primary_key(dbt_graph, name)] == []


def has_primary_key(graph: DbtGraph, model: str) -> bool:
    found: dict[str, set[str]] = defaultdict(set)
    for test in graph.tests_of(model):
        if not test["config"]["where"]:
            found[test["test_metadata"]["name"] if "test_metadata" in test else ""].add(test["column_name"] or "")
    constrained = {
        column["name"]
        for column in graph.models[model]["columns"].values()
        if any(constraint["type"] == "not_null" for constraint in column.get("constraints") or [])
    }
    return bool(
        found["expect_compound_columns_to_be_unique"] or found["unique"] & (found["not_null"] | constrained),
    )


def test_every_source_says_how_fresh_it_must_be(dbt_graph: DbtGraph) -> None:
    """fct_sources_without_freshness."""
    stale = [
        name
        for name, node in dbt_graph.sources.items()
        if not (node["freshness"] or {}).get("warn_after", {}).get("count")
        or not (node["loaded_at_field"] or node["loaded_at_query"])
    ]
    assert stale == []


def test_every_model_is_tested(dbt_graph: DbtGraph) -> None:
    """fct_test_coverage."""
    assert [name for name in dbt_graph.models if not dbt_graph.tests_of(name)] == []


def test_all_of_the_models_are_described(dbt_graph: DbtGraph) -> None:
    """fct_documentation_coverage."""
    assert sum(bool(model["description"]) for model in dbt_graph.models.values()) == len(dbt_graph.models) > 0


def test_every_model_is_described(dbt_graph: DbtGraph) -> None:
    """fct_undocumented_models."""
    assert [name for name, model in dbt_graph.models.items() if not model["description"]] == []


def test_every_source_is_described(dbt_graph: DbtGraph) -> None:
    """fct_undocumented_sources."""
    assert [name for name, node in dbt_graph.sources.items() if not node["source_description"]] == []


def test_every_table_of_a_source_is_described(dbt_graph: DbtGraph) -> None:
    """fct_undocumented_source_tables."""
    assert [name for name, node in dbt_graph.sources.items() if not node["description"]] == []


def test_the_prefix_of_a_model_says_its_layer(dbt_graph: DbtGraph) -> None:
    """fct_model_naming_conventions."""
    wrong = [
        model["name"] for model in dbt_graph.models.values() if not model["name"].startswith(PREFIXES[layer(model)])
    ]
    assert wrong == []


def test_every_model_lies_in_the_folder_of_its_layer(dbt_graph: DbtGraph) -> None:
    """fct_model_directories: staging models lie in the folder of their source, the others in that of their layer."""
    astray = [
        name
        for name, model in dbt_graph.models.items()
        if Path(model["original_file_path"]).parts[1:-1] != expected_folder(dbt_graph, name)
    ]
    assert astray == []


def expected_folder(graph: DbtGraph, model: str) -> tuple[str, ...]:
    if layer(graph.models[model]) != "staging":
        return (layer(graph.models[model]),)
    (source,) = graph.parents(model, "source")
    return ("staging", graph.sources[source]["source_name"])


def test_every_source_is_defined_in_its_folder(dbt_graph: DbtGraph) -> None:
    """fct_source_directories."""
    astray = [
        name
        for name, node in dbt_graph.sources.items()
        if Path(node["original_file_path"]).parent != Path("models", "staging", node["source_name"])
    ]
    assert astray == []


def test_every_test_lies_beside_its_model(dbt_graph: DbtGraph) -> None:
    """fct_test_directories."""
    astray = [
        test["name"]
        for test in dbt_graph.tests.values()
        if test.get("attached_node") in dbt_graph.models and not beside(test, dbt_graph.models[test["attached_node"]])
    ]
    assert astray == []


def beside(test: Node, model: Node) -> bool:
    return Path(test["original_file_path"]).parent == Path(model["original_file_path"]).parent


def test_no_long_chain_of_views(dbt_graph: DbtGraph) -> None:
    """fct_chained_views_dependencies."""
    assert [name for name in dbt_graph.models if views_above(dbt_graph, name) > VIEWS_IN_A_ROW] == []


def views_above(graph: DbtGraph, model: str) -> int:
    if graph.models[model]["config"]["materialized"] in STORED:
        return 0
    return 1 + max((views_above(graph, parent) for parent in graph.parents(model, "model")), default=0)


def test_exposures_read_stored_models(dbt_graph: DbtGraph) -> None:
    """fct_exposure_parents_materializations."""
    assert [reading for reading, model in read_by_exposures(dbt_graph) if not is_stored(model)] == []


def is_stored(model: Node) -> bool:
    return model["config"].get("materialized") in STORED


def read_by_exposures(graph: DbtGraph) -> list[tuple[str, Node]]:
    return [
        (names(graph, exposure, parent), {**graph.models, **graph.sources}[parent])
        for exposure, node in graph.exposures.items()
        for parent in node["depends_on"]["nodes"]
    ]


def test_public_models_have_an_enforced_contract(dbt_graph: DbtGraph) -> None:
    """fct_public_models_without_contract."""
    assert [model["name"] for model in dbt_graph.public_models if not model["contract"]["enforced"]] == []


def test_public_models_and_their_columns_are_described(dbt_graph: DbtGraph) -> None:
    """fct_undocumented_public_models."""
    bare = [
        model["name"]
        for model in dbt_graph.public_models
        if not model["description"] or not all(column["description"] for column in model["columns"].values())
    ]
    assert bare == []


def test_exposures_read_public_models(dbt_graph: DbtGraph) -> None:
    """fct_exposures_dependent_on_private_models."""
    assert [reading for reading, model in read_by_exposures(dbt_graph) if model.get("access") != "public"] == []
