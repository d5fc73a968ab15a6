"""Predecessor B's topology.json, in all the shapes that its description allows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from quorate import topology
from quorate.cli import predecessor
from quorate.errors import ConfigurationError
from quorate.prompts import TASK_TYPES

if TYPE_CHECKING:
    from quorate.cli.predecessor import Imported

BOTH = {"model_a": "a.gguf", "model_b": "b.gguf"}


def convert(document: object, directory: Path = Path("/old")) -> Imported:
    return predecessor.convert(document, directory, "topology.json")


def shape(imported: Imported) -> list[tuple[str, str, list[str]]]:
    return [
        (node.name, node.group, [model.name for model in node.models])
        for node in imported.topology.nodes
    ]


NESTED = {
    "superllm": {"model_path": "/m/big.gguf", "name": "big"},
    "superclusters": [
        {
            "name": "sc1",
            "clusters": [
                {
                    "name": "c1",
                    "nodes": [
                        {"name": "node1", **BOTH, "fitness": 0.8},
                        {
                            "id": "node2",
                            "model_a": {"path": "x.gguf", "fitness": 0.7, "n_ctx": 1024},
                            "model_b": {"path": "y.gguf", "fitness": 3},
                            "gpu": "RTX",
                        },
                    ],
                }
            ],
        }
    ],
}


def test_nested_superclusters_become_nodes_in_groups() -> None:
    imported = convert(NESTED)
    assert shape(imported) == [
        ("node1", "c1", ["a", "b"]),
        ("node2", "c1", ["x", "y"]),
        ("superllm", "", ["big"]),
    ]
    assert imported.topology.groups["c1"].description == "supercluster sc1"


def test_fitness_becomes_weight_and_where_it_is_a_probability_reliability() -> None:
    node1, node2, _ = convert(NESTED).topology.nodes
    assert [model.weight for model in node1.models] == [0.8, 0.8]
    assert node1.models[0].reliability == dict.fromkeys(TASK_TYPES, 0.8)
    assert [model.weight for model in node2.models] == [0.7, 3]
    assert node2.models[1].reliability == {}
    assert node2.models[0].context_tokens == 1024


def test_the_superllm_merges_from_a_node_of_its_own() -> None:
    imported = convert(NESTED)
    assert list(imported.topology.synthesizer.models) == ["big"]
    assert any("superllm" in note for note in imported.notes)


def test_unknown_keys_are_listed_with_their_place() -> None:
    document = {**NESTED, "version": 2}
    ignored = convert(document).ignored
    assert "version" in ignored
    assert "superclusters.sc1.clusters.c1.nodes.node2.gpu" in ignored


def test_paths_are_resolved_and_missing_files_can_be_reported(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").touch()
    imported = convert({"nodes": [{"name": "n", **BOTH}]}, tmp_path)
    assert topology.missing_files(imported.topology) == [tmp_path / "b.gguf"]


@pytest.mark.parametrize(
    "document",
    [
        {"nodes": [{"name": "n1", **BOTH, "cluster": "east"}]},
        {"nodes": {"n1": {**BOTH, "cluster_id": "east"}}},
        {"clusters": {"east": {"nodes": {"n1": BOTH}}}},
        {"clusters": {"east": [{"name": "n1", **BOTH}]}},
        {"clusters": {"east": ["n1"]}, "nodes": {"n1": BOTH}},
        {"superclusters": {"s": {"clusters": {"east": {"nodes": [{"node_id": "n1", **BOTH}]}}}}},
        {"superclusters": {"s": ["east"]}, "clusters": {"east": ["n1"]}, "nodes": {"n1": BOTH}},
        {"superclusters": {"east": {"nodes": {"n1": BOTH}}}},
    ],
)
def test_every_shape_gives_the_same_node_in_the_same_group(document: dict[str, Any]) -> None:
    imported = convert(document)
    assert shape(imported) == [("n1", "east", ["a", "b"])]
    assert imported.ignored == ()
    assert set(imported.topology.groups) == {"east"}


@pytest.mark.parametrize(
    "node",
    [
        {"model_a_path": "a.gguf", "model_b_path": "b.gguf", "model_a_fitness": 0.6,
         "model_b_fitness": 0.4},
        {**BOTH, "fitness": {"model_a": 0.6, "model_b": 0.4}},
        {**BOTH, "fitness": {"a": 0.6, "b": 0.4}},
        {"models": [{"file": "a.gguf", "weight": 0.6}, {"gguf": "b.gguf", "weight": 0.4}]},
    ],
)  # fmt: skip
def test_fitness_of_each_model_is_read_wherever_it_stands(node: dict[str, Any]) -> None:
    (read,) = convert({"nodes": {"n1": node}}).topology.nodes
    assert [(model.name, model.weight) for model in read.models] == [("a", 0.6), ("b", 0.4)]


def test_fitness_by_topic_becomes_reliability() -> None:
    node = {"model_a": {"path": "a.gguf", "fitness": {"math": 0.9}}}
    (read,) = convert({"nodes": {"n1": node}}).topology.nodes
    assert read.models[0].reliability == {"math": 0.9}


def test_a_fitness_that_cannot_be_a_weight_is_noted() -> None:
    imported = convert({"nodes": {"n1": {"model_a": {"path": "a.gguf", "fitness": 0}}}})
    assert imported.topology.nodes[0].models[0].weight == 1
    assert any("0 cannot be a weight" in note for note in imported.notes)


def test_names_are_made_valid_and_unique_and_the_change_is_noted() -> None:
    node = {"model_a": "Llama 3.gguf", "model_b": "llama-3.gguf"}
    imported = convert({"nodes": [{"name": "Node One", **node}, {"name": "node-one", **node}]})
    assert shape(imported) == [
        ("node-one", "", ["llama-3", "llama-3-2"]),
        ("node-one-2", "", ["llama-3", "llama-3-2"]),
    ]
    assert any("'Node One' is now called 'node-one'" in note for note in imported.notes)


def test_a_cluster_that_names_an_undescribed_node_is_noted() -> None:
    imported = convert({"clusters": {"c": ["n1", "ghost"]}, "nodes": {"n1": BOTH}})
    assert any("'ghost'" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], "it must hold an object"),
        ({}, "describes no nodes"),
        ({"nodes": []}, "describes no nodes"),
        ({"nodes": 3}, "where a list or an object"),
        ({"nodes": [{"name": "n1"}]}, "nodes.n1 has no model_a or model_b"),
        ({"nodes": {"n1": {"model_a": {"fitness": 1}}}}, "nodes.n1.model_a has no path"),
        ({"nodes": {"n1": {"model_a": ""}}}, "nodes.n1.model_a has no path"),
        ({"nodes": {"n1": {"model_a": "a", "fitness": "high"}}}, "it must be a number"),
        ({"nodes": {"n1": {"model_a": {"path": "a", "n_ctx": 1}}}}, "context_tokens"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_the_reason(
    document: object, expected: str
) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        convert(document)


def test_a_bare_name_without_a_description_anywhere_is_listed() -> None:
    imported = convert({"nodes": ["ghost", {"name": "n1", **BOTH}], "clusters": {"c": 3}})
    assert imported.ignored == ("nodes.ghost", "clusters.c")


def test_a_superllm_may_call_its_file_model() -> None:
    imported = convert({"nodes": [{"name": "n", **BOTH}], "superllm": {"model": "big.gguf"}})
    assert imported.topology.synthesizer.models == ["big"]


def test_fitness_may_be_written_with_the_side_at_its_end() -> None:
    imported = convert({"nodes": [{"name": "n", "fitness_a": 0.7, **BOTH, "fitness_b": 0.4}]})
    assert [model.weight for model in imported.topology.nodes[0].models] == [0.7, 0.4]
