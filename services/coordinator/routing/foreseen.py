"""Nodes as they will be once the moves of a plan are done, and what models take. No numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from services.coordinator.question import Model, Node
    from services.coordinator.routing.moves import Move

BYTES_PER_SECOND: Final = 500e6
"""How fast a model is taken to load that was not loaded yet, beside START_SECONDS."""
START_SECONDS: Final = 0.5


def load_seconds(model: Model) -> float:
    """Expect what the last load took, or what a file of that size usually takes."""
    return model.load_seconds or START_SECONDS + max(0, model.memory_bytes) / BYTES_PER_SECOND


def bytes_of(model: Model) -> int:
    """Give the memory that a model counts for: as estimated, or as measured where that is more."""
    return max(0, model.memory_bytes, model.held_bytes if model.ready else 0)


def given_back(model: Model) -> int:
    """Give the memory that its machine has more once a model is unloaded."""
    return max(0, model.held_bytes or model.memory_bytes)


def is_promised(model: Model) -> bool:
    """Say whether a node has set memory aside for a model that it is loading."""
    return not model.ready and model.missing_bytes == 0 and model.memory_bytes > 0


def machine_of(node: Node) -> str:
    """Name the machine of a node; one that does not tell has its own."""
    return node.machine or node.name


def after(nodes: Sequence[Node], moves: Sequence[Move]) -> list[Node]:
    """Show nodes as they will be when a plan's moves are done, as far as that can be foreseen."""
    loaded = {(move.place.node, move.place.model): move.load for move in moves}
    machines: dict[str, int] = {}
    for node in nodes:
        machine = machine_of(node)
        machines[machine] = machines.get(machine, 0) + _taken(node, loaded, given_back)
    return [_seen(node, loaded, machines[machine_of(node)]) for node in nodes]


def _seen(node: Node, loaded: Mapping[tuple[str, str], bool], machine_bytes: int) -> Node:
    """Show one node; its machine will have `machine_bytes` less than now."""
    own_bytes = _taken(node, loaded, bytes_of)
    available = _less(node.available_bytes, machine_bytes)
    budget = _less(node.budget_bytes, own_bytes)
    known = [left for left in (available, budget) if left is not None]
    return replace(
        node,
        models=tuple(_moved(model, loaded.get((node.name, model.name))) for model in node.models),
        free_bytes=_less(node.free_bytes, own_bytes) if available is None else min(known),
        available_bytes=available,
        budget_bytes=budget,
    )


def _taken(
    node: Node, loaded: Mapping[tuple[str, str], bool], freed: Callable[[Model], int]
) -> int:
    """Give the bytes by which a node's models will take more memory than now.

    `freed` counts what unloading a model frees: of a node's own limit what it counts for there, of
    its machine's memory only what it really holds.
    """
    change = 0
    for model in node.models:
        load = loaded.get((node.name, model.name), model.ready)
        if load and not model.ready and not is_promised(model):
            change += bytes_of(model)
        elif model.ready and not load:
            change -= freed(model)
    return change


def _moved(model: Model, load: bool | None) -> Model:
    leaves = load is False and model.state == "unloading"  # its node has told, but not of the end
    if load is None or (load == model.ready and not leaves):
        return model
    taken = bytes_of(model)
    if load:
        return replace(model, ready=True, on_demand=False, missing_bytes=0, held_bytes=taken)
    return replace(
        model, ready=False, on_demand=True, missing_bytes=taken, memory_bytes=taken, held_bytes=0
    )


def _less(before: int | None, taken: int) -> int | None:
    return None if before is None else max(0, before - taken)
