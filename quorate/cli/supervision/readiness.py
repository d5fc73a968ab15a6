"""Is the mesh complete? What the topology promises against what the coordinator sees. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from quorate.client.mesh_results import FAILED, ON_DEMAND, READY
from quorate.errors import NotReady

if TYPE_CHECKING:
    from quorate.client.mesh_results import Node
    from quorate.topology import Topology

ABSENT = "not registered"
UNKNOWN = "unknown to the node"


class Readiness(NamedTuple):
    """How far one promised model is."""

    node: str
    model: str
    state: str
    problem: str = ""

    @property
    def ready(self) -> bool:
        """Say whether it can answer, be it after a load that waits for its first request."""
        return self.state in {READY, ON_DEMAND}


def compare(topology: Topology, nodes: Sequence[Node]) -> tuple[Readiness, ...]:
    """Say how far every model of the topology is, in the topology's order."""
    live = {node.name: {model.name: model for model in node.models} for node in nodes}
    found = []
    for node in topology.nodes:
        models = live.get(node.name)
        for wanted in node.models:
            if models is None:
                found.append(Readiness(node.name, wanted.name, ABSENT))
            elif wanted.name not in models:
                found.append(Readiness(node.name, wanted.name, UNKNOWN))
            else:
                model = models[wanted.name]
                found.append(Readiness(node.name, wanted.name, model.standing, model.problem))
    return tuple(found)


def refuse_failed(models: Sequence[Readiness]) -> None:
    """Raise NotReady when a model can never become ready."""
    failed = [model for model in models if model.state == FAILED]
    if failed:
        reasons = "; ".join(f"{one.model} on {one.node}: {one.problem}" for one in failed)
        raise NotReady(f"{len(failed)} of {len(models)} models cannot be used: {reasons}")


def outstanding(models: Sequence[Readiness]) -> str:
    """Name the models that are not ready, and what they are doing."""
    return ", ".join(f"{one.model} on {one.node} is {one.state}" for one in models if not one.ready)
