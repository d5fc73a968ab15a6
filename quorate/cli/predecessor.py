"""Reads predecessor B's `topology.json` and says what became of everything in it.

Only a description of that format exists: a superllm, superclusters of clusters of nodes, and nodes
with the paths and fitness of a model_a and a model_b. So the shape is read leniently (lists or
mappings, nested, flat or by reference), and what is not understood is listed, never dropped in
silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from quorate import config, topology
from quorate.cli.predecessor_models import Models
from quorate.errors import ConfigurationError, shorten
from quorate.topology import Topology

LEVELS = ("superclusters", "clusters", "nodes")
NAME_KEYS = ("name", "id", "node_id", "cluster_id", "supercluster_id")
CLUSTER_KEYS = ("cluster", "cluster_id", "group")
SUPER = "superllm"


class OldNode(NamedTuple):
    """A node as it stood in the old file; `cluster` is "" when it was in none."""

    name: str
    where: str
    cluster: str
    data: Mapping[str, Any]


@dataclass
class Walk:
    """What was found on the way through an old file."""

    nodes: list[OldNode] = field(default_factory=list)
    clusters: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


class Imported(NamedTuple):
    """A topology made from an old file, and what its owner should know about it.

    `ignored` are keys of the old file without a meaning here, `notes` say what was changed.
    """

    topology: Topology
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


def convert(document: object, directory: Path, origin: str) -> Imported:
    """Turn the parsed JSON of an old topology into ours.

    Relative model paths are resolved against `directory`. Raises ConfigurationError when the
    document names no nodes, or a node has no models.
    """
    if not isinstance(document, Mapping):
        raise ConfigurationError(f"{origin} holds {shorten(document)}; it must hold an object")
    walk = Walk()
    _walk(walk, document, "", "", "")
    models = Models(ignored=walk.ignored)
    nodes = [_node(node, walk, models) for node in walk.nodes]
    if not nodes:
        raise ConfigurationError(
            f"{origin} describes no nodes; it must hold superclusters, clusters or nodes"
        )
    synthesizer = []
    if SUPER in document:
        nodes.append(_super(document[SUPER], models))
        synthesizer = [nodes[-1]["models"][0]["name"]]
    data = {
        "nodes": nodes,
        "groups": {name: {"description": said} for name, said in walk.clusters.items()},
        "synthesizer": {"models": synthesizer},
    }
    read = config.validate(Topology, data, origin)
    placed = topology.with_paths_from(read, directory.absolute())
    return Imported(placed, tuple(walk.ignored), (*_strangers(walk), *models.notes))


def _walk(
    walk: Walk, level: Mapping[str, Any], where: str, supercluster: str, cluster: str
) -> None:
    """Collect nodes, and the clusters that they are in, from one level and those below it."""
    for key, value in level.items():
        here = f"{where}{key}"
        if key == "nodes":
            for name, node in _entries(value):
                _found_node(walk, name, node, f"{here}.{name}", cluster or supercluster)
        elif key in LEVELS:
            for name, inner in _entries(value):
                _found_cluster(walk, key, name, inner, f"{here}.{name}", supercluster)
        elif key not in NAME_KEYS and not (key == SUPER and not where):
            walk.ignored.append(here)


def _found_node(walk: Walk, name: str, node: object, where: str, cluster: str) -> None:
    if isinstance(node, Mapping):
        own = next((str(node[key]) for key in CLUSTER_KEYS if node.get(key)), "")
        walk.nodes.append(OldNode(name, where, cluster or own, node))
        if own:
            walk.clusters.setdefault(own, "")
    elif cluster:
        walk.members[name] = cluster  # only a name: the node is described elsewhere
    else:
        walk.ignored.append(where)
    if cluster:
        walk.clusters.setdefault(cluster, "")


def _found_cluster(
    walk: Walk, level: str, name: str, inner: object, where: str, supercluster: str
) -> None:
    if level == "superclusters":
        supercluster, cluster = name, ""
    else:
        cluster = name
        if walk.clusters.setdefault(name, "") == "" and supercluster:
            walk.clusters[name] = f"supercluster {supercluster}"
    if isinstance(inner, Mapping):
        _walk(walk, inner, f"{where}.", supercluster, cluster)
    elif isinstance(inner, list):
        key = "clusters" if level == "superclusters" else "nodes"
        _walk(walk, {key: inner}, f"{where}.", supercluster, cluster)
    elif not (level == "clusters" and supercluster):
        walk.ignored.append(where)


def _entries(value: object) -> Iterator[tuple[str, object]]:
    """Give names and contents of a mapping, or of a list of named things or bare names."""
    if isinstance(value, Mapping):
        yield from ((str(name), inner) for name, inner in value.items())
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            if isinstance(inner, Mapping):
                named = (str(inner[key]) for key in NAME_KEYS if inner.get(key) is not None)
                yield next(named, str(number)), inner
            else:
                yield str(inner), inner
    else:
        raise ConfigurationError(
            f"{shorten(value)} stands where a list or an object of named things belongs"
        )


def _node(node: OldNode, walk: Walk, models: Models) -> dict[str, Any]:
    known = {*NAME_KEYS, *CLUSTER_KEYS, "supercluster"}
    described = {key: value for key, value in node.data.items() if key not in known}
    return {
        "name": models.node_name(node.name, node.where),
        "group": node.cluster or walk.members.get(node.name, ""),
        "models": models.of_node(node.name, described, node.where),
    }


def _super(value: object, models: Models) -> dict[str, Any]:
    models.notes.append(
        f"{SUPER}: the larger model is on a node of its own, {SUPER!r}; it merges, and votes too"
    )
    return {
        "name": models.node_name(SUPER, SUPER),
        "models": [models.single(SUPER, value, SUPER)],
    }


def _strangers(walk: Walk) -> Iterator[str]:
    described = {node.name for node in walk.nodes}
    for name, cluster in walk.members.items():
        if name not in described:
            yield f"cluster {cluster!r} names the node {name!r}, which is described nowhere"
