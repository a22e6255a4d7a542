from pathlib import Path

from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets.sql_tables.lineage import column_sources
from ghstars_assets_tests.support.tiny_problem import FILES, load


def test_a_column_knows_the_columns_it_is_computed_from(tmp_path: Path) -> None:
    graph = load(tmp_path, **FILES)
    assert column_sources(graph.files["tiny.gains"], graph) == {
        "day": [("tiny.clean", "day")],
        "id": [("tiny.clean", "id")],
        "gained": [("tiny.clean", "amount")],
    }


def test_lineage_reaches_through_named_steps(stars_graph: SqlGraph) -> None:
    sources = column_sources(stars_graph.files["stars.features"], stars_graph)
    assert sources["days_since_push"] == [
        ("stars.snapshots", "day"),
        ("stars.snapshots", "pushed_at"),
    ]
    assert ("stars.snapshots", "forks") in sources["forks_gained_7d_vs_base"]
    assert ("stars.snapshots", "stars") in sources["gain_90d_vs_base"]
    assert ("stars.snapshots", "forks") not in sources["gain_90d_vs_base"]


def test_every_column_of_the_projects_files_has_a_source(stars_graph: SqlGraph) -> None:
    constants = {
        "stars.snapshots": {"source"},
        "stars.source_conflicts": {"trusted_source", "other_source"},
    }
    for file in stars_graph.files.values():
        sourced = set(file.table.column_names) - constants.get(file.table.name, set())
        assert set(column_sources(file, stars_graph)) == sourced
